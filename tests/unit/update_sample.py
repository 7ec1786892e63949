"""One small update for the tests, signed by a key of which only the public half was kept."""

import binascii

MODULUS = binascii.unhexlify(
    "fc1747aeb36c7190a913dbe49d6110a616da5d2a01212e0574693823899c06d4abeebdf1e6c762f78b285acb4705debe"
    "d7e70a880bdff34743e62bba759ab2767231b28694af8c74d55d70abf08b1a0500e83265935b79971ccfd75a6969d2fd"
    "3537ea8c81667c1538f17ee19f59ddd302670b99a33aaf5fae2825f614be9759048f0d6b04efa1a69c036c656cc94b6a"
    "64ec231023a4443aa18cbf3f16770608dd52047e43661bc9b13edd904a00175d3564543c8883c2f91b0615309c69382d"
    "7807c1a1b92f8664e37ff20b7c07f983ae9f0a7b385cf26a469be07264dc076084f6b54e5d053a35bdc42ea266502d65"
    "318f8fff4f68a25d9556c448c896634f99b72a3188b3814915357ff41d3c822cb36ff64da418c3180f58482359612f79"
    "21065ee77c93df3c4c137c9c0b6a090e9160b61a21adfaeb1c93aceeb3fd19440296c71d9efb7a7f2c0bc73fbc4ad9fc"
    "7a37801603c5bc04a28e92c45016e09a56ebfdc7e600f0805636ff3fb92faa2ec5a27948abc01c75f5218a94c7519009"
)
SIGNATURE = binascii.unhexlify(
    "19e41a20ebc5d28a3bdf7a7699a88bcd51915ca2c37e82172e53219c0961276e5d5c0acdae6f4c85cab241cf632c47cb"
    "58df2dd0ec1fcdd2926f90596cc4c9f27b3bc06cff0d24cf9a8ff9b1384b93b96686ad192eb4c27fbddb408cd4f5fa5d"
    "1b5b5d2affb8ae80dc4288dc2611d3e09b51e713dc606aed7226d2698bf94e9a74c68539a356ea746c07ccec1f672218"
    "4dab4888dfb1c2046718d284107ea79556d5066cfef1183bc60e81ddf2526b6e90c4256fe8414358d37f3a7daf7c6b2e"
    "28b7cbaacaa22de01d0ec1521bb5e8549fead9e4e9f04c65be51b5f7e7fbd4e610c8a7cc9c3ce227a232522d76fb9f38"
    "07b01e7d3d162ad547512046c47e19da37163e9306aca13c2a66e5fe7fb327cfe622b1b5c4dffec651d0af772029f3ed"
    "9f54837da4d1eaff71525a6a41135ce0f3ce48e7fee67651097ac8202d5de028455bb1e189745c3fe12394ba4a7916c4"
    "35f3252cba84e8ef726b3e87fa1b7dd4a62eddbcab166814d546ab8369fba288dc1609b617683fa89f3ea523b1c139d2"
)
# Signed as well, though a path in it leaves the slot: what a maker's mistake would be.
ODD_SIGNATURE = binascii.unhexlify(
    "6baad52d099f7657ea692acb9235e3230ed68bbc2589a1d215efcdf5e3c65ef8679d5e894ef496f72013a0df2aa4a25e"
    "26687e3f304bae59f911d04d00dcfd973d54e4ef287b56519896da98bd1028e5bca80fd17d9902cfeefa821c872f3ed7"
    "bbbac5060149efc828263a666466d2d236bb6700b4f0c2775cacbe5c7f1a7c6c568b671f848b398e12e7b3416b1cbcd1"
    "29aa3cbfd62497cea60d9190a962cdbb671cd61a0582917fcc600a1be4b3cef6677d8371916b744723152c7f0d0b1bb4"
    "2c6057e54d95338b09f82addeb823e70032b392a816a0d9632c64c4f1cf22b87f4a1753faee8f1d8a78e3a539edb2221"
    "bc9e139d02788d767f6ba01b1b8fe80ce9bffe01baebeb04b4ac3302ef51bff25f1f7b556b5026b8ce8629659a086a13"
    "6d6eeef7bfe82da3385ae71d8466859f25136d0b8f7a16f2084ab1271959c300a16eaeda8bf924eb51802b60abec737e"
    "aab4428ae8ff028f4fb00f0052fedc3f04e2c3f850fa7d18d7f0f70066b2c69f025cf6cfc35d63cac68d3557a2778f9f"
)
FILES = (
    ("board.json", b'{"name":"sample"}'),
    ("firmware/app.mpy", b"M\x06" + bytes(range(256)) * 3),
    ("firmware/empty.mpy", b""),
)
MANIFEST = (
    b'{"version":"1.2.3","security":7,"board":"sample","files":['
    b'{"path":"board.json","bytes":17,"sha256":"976cd2d13306ef7b411425368f511318aed70ea05278b4e7559099f7820eaf1b"},'
    b'{"path":"firmware/app.mpy","bytes":770,"sha256":"cb356c34a55ec76f56b8a9c118a6722d290b465e4c5dc6447d06fa9b8fa2f12a"},'
    b'{"path":"firmware/empty.mpy","bytes":0,"sha256":"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"}'
    b"]}"
)
HEAD = (
    b"ebbupd1\n"
    + b"sample"
    + bytes(26)
    + b"\x00\x01\x00\x02\x00\x03"
    + b"\x00\x00\x00\x07"
    + len(MANIFEST).to_bytes(4, "big")
    + (787).to_bytes(4, "big")
    + bytes(6)
)
WHOLE = HEAD + MANIFEST + SIGNATURE + FILES[0][1] + FILES[1][1]
ODD_MANIFEST = MANIFEST.replace(b'"firmware/empty.mpy"', b'"firmware/../../x.mpy"')
ODD_HEAD = HEAD[:50] + len(ODD_MANIFEST).to_bytes(4, "big") + HEAD[54:]
ODD = ODD_HEAD + ODD_MANIFEST + ODD_SIGNATURE + FILES[0][1] + FILES[1][1]
LEAST = ((1, 2, 3), 7)  # what the box runs: the same version once more is taken
