// The Xenstore ring that a domain speaks over.
#pragma once

#include "../types.h"

#define XENSTORE_RING_SIZE 1024
typedef uint32_t XENSTORE_RING_IDX;
#define MASK_XENSTORE_IDX(idx) ((idx) & (XENSTORE_RING_SIZE - 1))

enum { XENSTORE_SERVER_FEATURE_RECONNECTION = 1, XENSTORE_SERVER_FEATURE_ERROR = 2 };
enum { XENSTORE_CONNECTED = 0, XENSTORE_RECONNECT = 1 };
enum { XENSTORE_ERROR_NONE = 0, XENSTORE_ERROR_RINGIDX = 2, XENSTORE_ERROR_PROTO = 3 };

struct xenstore_domain_interface {
    char req[XENSTORE_RING_SIZE], rsp[XENSTORE_RING_SIZE]; // to the store, to the domain
    XENSTORE_RING_IDX req_cons, req_prod, rsp_cons, rsp_prod;
    uint32_t server_features; // XENSTORE_SERVER_FEATURE_*
    uint32_t connection;      // XENSTORE_CONNECTED or XENSTORE_RECONNECT
    uint32_t error;           // XENSTORE_ERROR_*
};
