# SPDX-License-Identifier: MPL-2.0
"""Certificates for tests, made by the openssl command in a folder that goes away."""

import datetime
import os
import subprocess

CONFIG = """
[ca]
default_ca = test
[test]
database = index.txt
new_certs_dir = .
rand_serial = yes
unique_subject = no
default_md = sha256
policy = any
[any]
commonName = supplied
[req]
distinguished_name = name
[name]
"""
AUTHORITY = "basicConstraints=critical,CA:TRUE"
NEW_KEY = "-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes".split()


class Certificate:
    """Paths of a certificate and its key, both PEM."""

    def __init__(self, folder, name):
        self.name = name
        self.pem = os.path.join(folder, f"{name}.pem")
        self.key = os.path.join(folder, f"{name}.key")
        self.request = os.path.join(folder, f"{name}.csr")

    def options(self):
        """For a socket of the peer program that is to show it."""
        return f"tls_certificate={self.pem} tls_key={self.key}"


class Authority:
    """A CA and what it has signed, in a folder of its own."""

    def __init__(self, folder, name="ca"):
        self.folder = os.path.join(folder, name)
        os.makedirs(self.folder)
        with open(os.path.join(self.folder, "ca.cnf"), "w", encoding="ascii") as file:
            file.write(CONFIG)
        with open(os.path.join(self.folder, "index.txt"), "w", encoding="ascii"):
            pass
        self.certificate = self.self_signed("ca", f"{name} of a test", AUTHORITY)
        self.pem = self.certificate.pem

    def options(self):
        """For a socket of the peer program that is to trust it."""
        return f"tls_ca={self.pem}"

    def _openssl(self, *arguments):
        done = subprocess.run(
            ["openssl", *arguments],
            cwd=self.folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            check=False,
            env={**os.environ, "LD_PRELOAD": "", "LD_LIBRARY_PATH": ""},
        )
        if done.returncode != 0:
            raise OSError(f"openssl {' '.join(arguments)}: {done.stdout.decode(errors='replace')}")

    def self_signed(self, name, subject, extension):
        made = Certificate(self.folder, name)
        options = ["-config", "ca.cnf", "-subj", f"/CN={subject}", "-addext", extension]
        files = ["-keyout", made.key, "-out", made.pem]
        self._openssl("req", "-x509", "-days", "2", *NEW_KEY, *options, *files)
        return made

    def sign(self, name, *extensions, days=(-1, 2)):
        """`days` from now: first and last one."""
        made = Certificate(self.folder, name)
        subject = ["-config", "ca.cnf", "-subj", f"/CN={name}"]
        self._openssl("req", *NEW_KEY, *subject, "-keyout", made.key, "-out", made.request)
        extension_file = f"{name}.ext"
        with open(os.path.join(self.folder, extension_file), "w", encoding="ascii") as file:
            file.write("\n".join(("basicConstraints=CA:FALSE", *extensions)) + "\n")
        now = datetime.datetime.now(datetime.timezone.utc)
        first, last = (
            (now + datetime.timedelta(days=day)).strftime("%Y%m%d%H%M%SZ") for day in days
        )
        signer = ["-batch", "-config", "ca.cnf", "-cert", self.pem]
        signer += ["-keyfile", self.certificate.key, "-startdate", first, "-enddate", last]
        files = ["-extfile", extension_file, "-notext", "-in", made.request, "-out", made.pem]
        self._openssl("ca", *signer, *files)
        return made

    def server(self, *names, name="server", days=(-1, 2)):
        """For these names: DNS:localhost, IP:127.0.0.1 and the like."""
        purpose = "extendedKeyUsage=serverAuth"
        return self.sign(name, purpose, "subjectAltName=" + ",".join(names), days=days)

    def client(self, name="client"):
        return self.sign(name, "extendedKeyUsage=clientAuth")
