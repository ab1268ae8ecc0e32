/* SPDX-License-Identifier: Apache-2.0 */
/* The ranges without public servers: private, loopback, link-local, shared, multicast,
 * documentation, and the ways to write an IPv4 address as IPv6. The configuration is read in
 * httpd/conf.c. */
#include "net/guard.h"

#include <netinet/in.h>
#include <string.h>

#include <apr.h>
#include <apr_network_io.h>

struct range {
    unsigned char bytes[16];
    int bits;
};

static const struct range v4_ranges[] = {
    { { 0 }, 8 },             /* "this network" */
    { { 10 }, 8 },            /* private */
    { { 100, 64 }, 10 },      /* shared between a provider and its customers */
    { { 127 }, 8 },           /* loopback */
    { { 169, 254 }, 16 },     /* link-local, cloud metadata */
    { { 172, 16 }, 12 },      /* private */
    { { 192, 0, 0 }, 24 },    /* protocol assignments */
    { { 192, 0, 2 }, 24 },    /* documentation */
    { { 192, 88, 99 }, 24 },  /* 6to4 relays */
    { { 192, 168 }, 16 },     /* private */
    { { 198, 18 }, 15 },      /* benchmarks */
    { { 198, 51, 100 }, 24 }, /* documentation */
    { { 203, 0, 113 }, 24 },  /* documentation */
    { { 224 }, 3 }            /* multicast, reserved, broadcast */
};

/* Public IPv6 is 2000::/3; these lie inside it and are not. */
static const struct range v6_ranges[] = {
    { { 0x20, 0x01, 0, 0 }, 23 },       /* Teredo and protocol assignments */
    { { 0x20, 0x01, 0x0D, 0xB8 }, 32 }, /* documentation */
    { { 0x20, 0x02 }, 16 }              /* 6to4: an IPv4 address inside */
};

static const struct range v6_public = { { 0x20 }, 3 };
static const struct range v6_mapped = { { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF }, 96 };

static bool is_in(const struct range *range, const unsigned char *address)
{
    int whole = range->bits / 8;
    int rest = range->bits % 8;
    unsigned char mask = (unsigned char)(0xFF << (8 - rest));

    return memcmp(range->bytes, address, (size_t)whole) == 0
           && (rest == 0 || ((range->bytes[whole] ^ address[whole]) & mask) == 0);
}

static bool is_in_any(const struct range *ranges, size_t count, const unsigned char *address)
{
    size_t i;

    for (i = 0; i < count; i++) {
        if (is_in(&ranges[i], address)) {
            return true;
        }
    }
    return false;
}

static bool is_public_v4(const unsigned char *address)
{
    return !is_in_any(v4_ranges, sizeof(v4_ranges) / sizeof(v4_ranges[0]), address);
}

static bool is_public_v6(const unsigned char *address)
{
    if (is_in(&v6_mapped, address)) {
        return is_public_v4(address + 12);
    }
    return is_in(&v6_public, address)
           && !is_in_any(v6_ranges, sizeof(v6_ranges) / sizeof(v6_ranges[0]), address);
}

/* apr_ipsubnet_test() needs an apr_sockaddr_t; it reads only these members. */
static bool is_allowed(const struct sockaddr *address, const apr_array_header_t *allowed)
{
    apr_sockaddr_t form;
    int i;

    memset(&form, 0, sizeof(form));
    form.family = address->sa_family;
    if (address->sa_family == AF_INET) {
        memcpy(&form.sa.sin, address, sizeof(form.sa.sin));
        form.ipaddr_ptr = &form.sa.sin.sin_addr;
        form.ipaddr_len = sizeof(struct in_addr);
    }
    else {
        memcpy(&form.sa.sin6, address, sizeof(form.sa.sin6));
        form.ipaddr_ptr = &form.sa.sin6.sin6_addr;
        form.ipaddr_len = sizeof(struct in6_addr);
    }
    for (i = 0; allowed && i < allowed->nelts; i++) {
        if (apr_ipsubnet_test(APR_ARRAY_IDX(allowed, i, apr_ipsubnet_t *), &form)) {
            return true;
        }
    }
    return false;
}

bool gf_guard_allows(const struct sockaddr *address, const apr_array_header_t *allowed)
{
    if (address->sa_family == AF_INET) {
        const struct sockaddr_in *v4 = (const struct sockaddr_in *)address;

        return is_public_v4((const unsigned char *)&v4->sin_addr) || is_allowed(address, allowed);
    }
    if (address->sa_family == AF_INET6) {
        const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)address;

        return is_public_v6((const unsigned char *)&v6->sin6_addr) || is_allowed(address, allowed);
    }
    return false;
}
