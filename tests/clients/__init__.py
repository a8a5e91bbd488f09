"""Independent clients against the sample servers, and independent readers of the pipeline's files.

Each test file uses one client and each call that the client offers for the endpoints of the sample server. Nothing
leaves the loopback interface: conftest.py makes any other connection fail.

The clients of Metabase, @metabase/cli and dbt-metabase, need a built warehouse: see tests/metabase.
"""
