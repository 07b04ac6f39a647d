"""python-ldap, page by page: a binding of OpenLDAP's own C library."""

import json
import os

import ldap
from ldap.controls import SimplePagedResultsControl

job = json.loads(os.environ["READ_JOB"])
connection = ldap.initialize(f"ldap://{job['host']}:{job['port']}")
connection.simple_bind_s(job["user"], job["password"])
entries = 0
paging = SimplePagedResultsControl(True, size=job["pageSize"], cookie="")
while True:
    message = connection.search_ext(
        job["base"], ldap.SCOPE_SUBTREE, job["filter"], job["attributes"], serverctrls=[paging]
    )
    _, page, _, controls = connection.result3(message)
    entries += len(page)
    paging.cookie = next(c.cookie for c in controls if c.controlType == paging.controlType)
    if not paging.cookie:
        break
print(json.dumps({"entries": entries}))
