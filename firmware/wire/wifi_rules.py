"""What can be the name, password and secret of a Wi-Fi; loaded only while somebody sets one."""


def refused(ssid: object, password: object) -> str:
    """Code of words_en.txt why this can be no Wi-Fi, or ""."""
    if type(ssid) is not str or not 1 <= len(ssid) <= 32 or not _is_plain(ssid):
        return "bad_ssid"
    if type(password) is not str or not _is_plain(password) or not (password == "" or 8 <= len(password) <= 63):
        return "bad_password"
    return ""


def _is_plain(text: str) -> bool:
    """Whether the settings can keep it."""
    return all(" " <= mark <= "~" for mark in text)


def point_name(box: str) -> str:
    """SSID of the set-up access point."""
    return (box if box.startswith("ebb-") else "ebb-" + box)[:32]


def is_secret(secret: object) -> bool:
    """Whether an access point may be opened with this: what WPA2 takes, and never without one."""
    return type(secret) is str and 8 <= len(secret) <= 63 and _is_plain(secret)
