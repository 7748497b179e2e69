"""A certificate for 127.0.0.1 and the authority behind it, made when this is imported, trusted by this process only.

To be imported before what reads certificates, which is read once, at import.
"""

import atexit
import os
import tempfile

import trustme

_folder = tempfile.TemporaryDirectory(prefix="outcry-authority-")
atexit.register(_folder.cleanup)
CERTIFICATE, SECRET = (os.path.join(_folder.name, name) for name in ("certificate", "secret"))
_trusted = os.path.join(_folder.name, "authority")

_authority = trustme.CA()
_authority.cert_pem.write_to_path(_trusted)
_issued = _authority.issue_cert("127.0.0.1")
_issued.private_key_pem.write_to_path(SECRET)
for _part in _issued.cert_chain_pems:
    _part.write_to_path(CERTIFICATE, append=True)

os.environ["SSL_CERT_FILE"] = os.environ["REQUESTS_CA_BUNDLE"] = _trusted
