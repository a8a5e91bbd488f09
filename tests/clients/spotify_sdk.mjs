// Makes the calls that @spotify/web-api-ts-sdk offers for the endpoints of the sample Spotify, and prints the results
// as JSON. Settings come as JSON on standard input: url, clientId, clientSecret, redirectUri, scopes, artist, cursor.
//
// The SDK sends API calls and token calls by the global `fetch`; fetchFromSample sends those for Spotify's two hosts to
// the sample Spotify, and fails for other hosts. The PKCE flow needs a browser's `window`, of which a part is given.

import { readFileSync } from "node:fs";
import { AuthorizationCodeWithPKCEStrategy, InMemoryCachingStrategy, SpotifyApi } from "@spotify/web-api-ts-sdk";

const settings = JSON.parse(readFileSync(0, "utf8"));
const hosts = ["https://api.spotify.com", "https://accounts.spotify.com", settings.url];
const realFetch = globalThis.fetch;

function fetchFromSample(address, options) {
  const url = new URL(address);
  if (!hosts.includes(url.origin)) throw new Error(`unexpected host: ${url.origin}`);
  return realFetch(settings.url + url.pathname + url.search, options);
}
globalThis.fetch = fetchFromSample;

async function failure(call) {
  try {
    await call();
  } catch (error) {
    return error.message;
  }
  return null;
}

// 1. Consent with PKCE: redirect, exchange of the code, refresh of an expired token.
const location = { search: "", href: settings.redirectUri };
globalThis.window = {
  location,
  history: { replaceState: (state, title, url) => (location.replaced = url) },
  crypto: globalThis.crypto,
};
globalThis.document = { title: "" };
const cache = new InMemoryCachingStrategy();
const redirects = [];
const redirectionStrategy = {
  redirect: async (target) => {
    const answer = await fetchFromSample(target, { redirect: "manual" });
    redirects.push(answer.headers.get("location"));
  },
  onReturnFromRedirect: async () => {},
};
const config = { cachingStrategy: cache, redirectionStrategy };
const user = SpotifyApi.withUserAuthorization(settings.clientId, settings.redirectUri, settings.scopes, config);
await user.authenticate();
while (redirects.length === 0) await new Promise((resolve) => setTimeout(resolve, 5));
user.logOut();
location.search = new URL(redirects[0]).search;
location.href = redirects[0];
const { authenticated, accessToken } = await user.authenticate();
cache.setCacheItem(AuthorizationCodeWithPKCEStrategy.cacheKey, { ...accessToken, expires: Date.now() - 1000 });
const profile = await user.currentUser.profile();
const renewed = await user.getAccessToken();
delete globalThis.window;

// 2. Calls with that token.
const api = SpotifyApi.withAccessToken(settings.clientId, renewed);
const recent = (...given) => api.player.getRecentlyPlayedTracks(...given);
const first = await recent(20);
const application = SpotifyApi.withClientCredentials(settings.clientId, settings.clientSecret);
const stranger = SpotifyApi.withAccessToken(settings.clientId, { ...renewed, access_token: "unknown" });
console.log(
  JSON.stringify({
    consent: { authenticated, accessToken, renewed, redirect: redirects[0], replaced: location.replaced },
    profile,
    pages: [first, await recent(50, { type: "before", timestamp: Number(first.cursors.before) })],
    after: await recent(50, { type: "after", timestamp: settings.cursor }),
    all: await recent(50),
    standard: await recent(),
    saved: [await api.currentUser.tracks.savedTracks(), await api.currentUser.tracks.savedTracks(50, 20, "DE")],
    artist: await api.artists.get(settings.artist),
    applicationArtist: await application.artists.get(settings.artist),
    failures: {
      limit: await failure(() => recent(51)),
      batch: await failure(() => api.artists.get([settings.artist])),
      missing: await failure(() => api.artists.get("0".repeat(22))),
      applicationUser: await failure(() => application.currentUser.profile()),
      stranger: await failure(() => stranger.currentUser.profile()),
    },
  }),
);
