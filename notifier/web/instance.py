"""The proof that an address leads to this installation, for `notifier doctor`.

It signs what the doctor made up, says how the request came, and changes nothing.
"""

import re

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from notifier.web import proxies
from notifier.web.responses import deps_of

_NONCE = re.compile(r"[0-9a-f]{32}")


def prove(request: Request) -> Response:
    """Return the proof, and whether a proxy that is listed passed the request on.

    Raises:
        HTTPException: the nonce is none.
    """
    nonce = request.path_params["nonce"]
    if not _NONCE.fullmatch(nonce):
        raise HTTPException(404)
    proof = deps_of(request).links.proof(nonce)
    return JSONResponse({"proof": proof, "proxy": proxies.way_of(request.scope)})
