"""Keys for trials, made from a seed so that a find can be played again: never for boxes."""

import functools
import math
import random

from cryptography.hazmat.primitives.asymmetric import rsa

from firmware.wire import update_header

BITS, EXPONENT = update_header.SIGNATURE_B * 8, 65537
SMALL = math.prod(number for number in range(3, 2000, 2) if all(number % other for other in range(3, number, 2)))
WITNESSES = (2, 3, 5, 7, 11, 13, 17, 19)


def is_prime(number):
    """Whether a large odd number passes Miller and Rabin's test; random ones that pass wrongly are not met."""
    if math.gcd(number, SMALL) != 1:
        return False
    odd, twos = number - 1, 0
    while odd % 2 == 0:
        odd, twos = odd // 2, twos + 1
    for witness in WITNESSES:
        power = pow(witness, odd, number)
        if power in (1, number - 1):
            continue
        for _ in range(twos - 1):
            power = power * power % number
            if power == number - 1:
                break
        else:
            return False
    return True


def prime(chance):
    """A prime of half the bits whose two highest are ones, and which goes with the exponent."""
    top = 3 << (BITS // 2 - 2)
    while True:
        number = chance.getrandbits(BITS // 2) | top | 1
        if (number - 1) % EXPONENT and is_prime(number):
            return number


@functools.cache
def key(seed):
    """Private key of RSA-3072 of a seed; about a second."""
    chance = random.Random(f"key:{seed}")
    one, other = prime(chance), prime(chance)
    power = pow(EXPONENT, -1, math.lcm(one - 1, other - 1))
    public = rsa.RSAPublicNumbers(EXPONENT, one * other)
    crt = rsa.rsa_crt_dmp1(power, one), rsa.rsa_crt_dmq1(power, other), rsa.rsa_crt_iqmp(one, other)
    return rsa.RSAPrivateNumbers(one, other, power, *crt, public).private_key()


def modulus(private):
    """The key's modulus as a box keeps it."""
    return private.public_key().public_numbers().n.to_bytes(update_header.SIGNATURE_B, "big")


def raw(private, octets):
    """The private key's power of a whole block, whatever is in it: what no honest signer does."""
    numbers = private.private_numbers()
    number = pow(int.from_bytes(octets, "big"), numbers.d, numbers.public_numbers.n)
    return number.to_bytes(update_header.SIGNATURE_B, "big")
