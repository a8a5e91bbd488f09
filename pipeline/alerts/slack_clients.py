"""slack-sdk's clients, without redirects and without proxies of the environment.

slack-sdk (3.47) opens addresses with urllib.request.urlopen. That follows redirects and sends the Authorization header
to the new host. slack-sdk has no option against it, so that its three methods that open an address are overridden here.
"""

from __future__ import annotations

import urllib.request
from typing import Any

import slack_sdk
import slack_sdk.webhook
from slack_sdk.webhook import WebhookResponse

from pipeline.config.address import check_address


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_: Any) -> None:
        """None makes urllib raise HTTPError for a redirect, as for every other status that is not 2xx."""


_opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), _NoRedirects())


def _exchange(request: urllib.request.Request, timeout: int) -> tuple[int, Any, str]:
    with _opener.open(request, timeout=timeout) as response:
        charset = response.headers.get_content_charset() or "utf-8"
        return response.status, response.headers, response.read().decode(charset)


class WebClient(slack_sdk.WebClient):
    def _perform_urllib_http_request_internal(self, url: str, req: urllib.request.Request) -> dict[str, Any]:
        status, headers, body = _exchange(req, self.timeout)
        return {"status": status, "headers": headers, "body": body}

    def _upload_file(self, *, url: str, data: bytes, timeout: int, **_: Any) -> Any:
        from slack_sdk.web.file_upload_v2_result import FileUploadV2Result

        check_address(url, "the address that Slack names for the upload")
        request = urllib.request.Request(url, data, method="POST")  # noqa: S310 (checked above)
        status, _headers, body = _exchange(request, timeout)
        return FileUploadV2Result(status=status, body=body)


class WebhookClient(slack_sdk.webhook.WebhookClient):
    def _perform_http_request_internal(self, url: str, req: urllib.request.Request) -> WebhookResponse:
        status, headers, body = _exchange(req, self.timeout)
        return WebhookResponse(url=url, status_code=status, body=body, headers=headers)
