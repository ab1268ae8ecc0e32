/* SPDX-License-Identifier: Apache-2.0 */
/* net/guard.c: an IPv4 address of four bytes, or an IPv6 one of sixteen. */
#define FUZZ_NAME "guard"

#include <arpa/inet.h>

#include "fuzz.h"
#include "net/guard.h"

static bool allows4(const unsigned char *bytes)
{
    struct sockaddr_in address = { .sin_family = AF_INET };

    memcpy(&address.sin_addr, bytes, 4);
    return gf_guard_allows((const struct sockaddr *)&address, NULL);
}

static bool allows6(const unsigned char *bytes)
{
    struct sockaddr_in6 address = { .sin6_family = AF_INET6 };

    memcpy(&address.sin6_addr, bytes, 16);
    return gf_guard_allows((const struct sockaddr *)&address, NULL);
}

static void fuzz_one(void)
{
    unsigned char b[16] = { 0 };
    unsigned char mapped[16] = { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF };
    int i;

    for (i = 0; i < 16; i++) {
        b[i] = (unsigned char)fuzz_byte();
    }
    if (allows4(b)) {
        FUZZ_HOLDS(b[0] != 0 && b[0] != 10 && b[0] != 127 && b[0] < 224);
        FUZZ_HOLDS(!(b[0] == 192 && b[1] == 168) && !(b[0] == 169 && b[1] == 254));
        FUZZ_HOLDS(!(b[0] == 172 && (b[1] & 0xF0) == 16) && !(b[0] == 100 && (b[1] & 0xC0) == 64));
    }
    memcpy(mapped + 12, b, 4);
    FUZZ_HOLDS(!allows6(mapped) || allows4(b));
    if (allows6(b)) {
        FUZZ_HOLDS(b[0] != 0xFF && (b[0] & 0xFE) != 0xFC && !(b[0] == 0xFE && (b[1] & 0x80)));
        FUZZ_HOLDS(memcmp(b, "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 15) != 0); /* :: and ::1 */
    }
}
