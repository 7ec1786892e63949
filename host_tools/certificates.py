"""Certificates for a broker of tests and measurements: an authority and one name, valid for some days."""

import datetime
import ipaddress

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa


def certificates(folder, name):
    """(CA in DER, certificate path, key path) of a broker called `name`, made anew."""
    now = datetime.datetime.now(datetime.UTC)
    keys = [rsa.generate_private_key(public_exponent=65537, key_size=2048) for _ in range(2)]
    names = [x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, text)]) for text in ("test authority", name)]
    made = []
    for index in range(2):
        builder = x509.CertificateBuilder().subject_name(names[index]).issuer_name(names[0])
        builder = builder.public_key(keys[index].public_key()).serial_number(x509.random_serial_number())
        builder = builder.not_valid_before(now - datetime.timedelta(days=1))
        builder = builder.not_valid_after(now + datetime.timedelta(days=9))
        builder = builder.add_extension(x509.BasicConstraints(ca=index == 0, path_length=None), critical=True)
        if index:
            entries: list[x509.GeneralName] = [x509.DNSName(name)]
            if name == "localhost":
                entries.append(x509.IPAddress(ipaddress.ip_address("127.0.0.1")))
            builder = builder.add_extension(x509.SubjectAlternativeName(entries), critical=False)
        made.append(builder.sign(keys[0], hashes.SHA256()))
    (folder / "broker.pem").write_bytes(made[1].public_bytes(serialization.Encoding.PEM))
    plain = serialization.NoEncryption()
    form = serialization.PrivateFormat.TraditionalOpenSSL
    (folder / "broker.key").write_bytes(keys[1].private_bytes(serialization.Encoding.PEM, form, plain))
    return made[0].public_bytes(serialization.Encoding.DER), folder / "broker.pem", folder / "broker.key"
