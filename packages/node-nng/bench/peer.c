/*
 * The C library's part of the benchmark, for comparison; the lines it prints are those of peer.ts.
 *
 *   peer push SIZE SECONDS                prints its address, then sends to the first that dials
 *   peer pull URL WARM                    prints the rate
 *   peer rep                              prints its address, then answers until it is killed
 *   peer req URL SIZE OUTSTANDING SECONDS WARM
 *
 * Tuned by trying: asynchronous operations, a send buffer of 1024 messages, 256 contexts; one outstanding request goes by
 * blocking calls, which are quicker there.
 */
#include <nng/nng.h>
#include <nng/protocol/pipeline0/pull.h>
#include <nng/protocol/pipeline0/push.h>
#include <nng/protocol/reqrep0/rep.h>
#include <nng/protocol/reqrep0/req.h>
#include <nng/supplemental/util/platform.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define RING 1024
#define END_SIZE 11
#define SAMPLES 1000000

static void
check(int rv, const char *what)
{
	if (rv != 0) {
		fprintf(stderr, "%s: %s\n", what, nng_strerror(rv));
		exit(1);
	}
}

static double
now(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return ((double) t.tv_sec + (double) t.tv_nsec / 1e9);
}

static void
listen_any(nng_socket socket)
{
	nng_listener listener;
	int          port;
	check(nng_socket_set_size(socket, NNG_OPT_RECVMAXSZ, 0), "recvmaxsz");
	check(nng_listen(socket, "tcp://127.0.0.1:0", &listener, 0), "listen");
	check(nng_listener_get_int(listener, NNG_OPT_TCP_BOUND_PORT, &port), "port");
	printf("tcp://127.0.0.1:%d\n", port);
	fflush(stdout);
}

/* PULL: one receive after the other, each begun by the completion of the one before. */
static nng_socket pull;
static nng_aio   *pull_aio;
static double     warm, first_at, warm_at;
static uint64_t   received, warm_count;

static void
pull_done(void *arg)
{
	(void) arg;
	check(nng_aio_result(pull_aio), "receive");
	nng_msg *msg  = nng_aio_get_msg(pull_aio);
	uint8_t *body = nng_msg_body(msg);
	if (nng_msg_len(msg) == END_SIZE) {
		double   at = now();
		uint64_t sent;
		memcpy(&sent, body + 3, 8);
		if (sent != received) {
			fprintf(stderr, "%llu messages lost\n", (unsigned long long) (sent - received));
			exit(1);
		}
		printf("{\"rate\":%f}\n", (double) (received - warm_count) / (at - warm_at));
		fflush(stdout);
		_exit(0);
	}
	if ((uint64_t) (body[0] | body[1] << 8) != received % RING) {
		fprintf(stderr, "message %llu out of order\n", (unsigned long long) received);
		exit(1);
	}
	received++;
	nng_msg_free(msg);
	if (warm_at == 0 && (received & 15) == 1) {
		double at = now();
		if (first_at == 0) {
			first_at = at;
		}
		if (at - first_at >= warm) {
			warm_at    = at;
			warm_count = received;
		}
	}
	nng_recv_aio(pull, pull_aio);
}

/* PUSH: the same way; with room in the buffer a send is complete at once. */
static nng_socket push;
static nng_aio   *push_aio;
static size_t     size;
static uint64_t   sent;
static double     ends_at;
static atomic_int ended;

static void
push_next(void)
{
	nng_msg *msg;
	if (ended || ((sent & 15) == 0 && now() >= ends_at)) {
		if (ended++) {
			return;
		}
		check(nng_msg_alloc(&msg, END_SIZE), "alloc");
		memcpy(nng_msg_body(msg), "END", 3);
		memcpy((uint8_t *) nng_msg_body(msg) + 3, &sent, 8);
	} else {
		check(nng_msg_alloc(&msg, size), "alloc");
		uint8_t *body = nng_msg_body(msg);
		body[0]       = (uint8_t) (sent % RING);
		body[1]       = (uint8_t) (sent % RING >> 8);
		sent++;
	}
	nng_aio_set_msg(push_aio, msg);
	nng_send_aio(push, push_aio);
}

static void
push_done(void *arg)
{
	(void) arg;
	check(nng_aio_result(push_aio), "send");
	push_next();
}

static void
push_begins(nng_pipe pipe, nng_pipe_ev event, void *arg)
{
	(void) pipe;
	(void) event;
	ends_at = now() + atof(arg);
	push_next();
}

/* REP and REQ: a context for each request that may be on its way. */
struct work {
	nng_ctx  ctx;
	nng_aio *aio;
	int      state;
	double   from;
};

static void
rep_done(void *arg)
{
	struct work *work = arg;
	check(nng_aio_result(work->aio), "rep");
	if (work->state == 0) {
		work->state = 1;
		nng_aio_set_msg(work->aio, nng_aio_get_msg(work->aio));
		nng_ctx_send(work->ctx, work->aio);
	} else {
		work->state = 0;
		nng_ctx_recv(work->ctx, work->aio);
	}
}

static double           begins_at;
static atomic_uint_fast64_t answered;
static uint32_t        *samples;
static atomic_uint_fast32_t sampled;

static void
answer(double from, double at)
{
	if (at < begins_at || at > ends_at) {
		return;
	}
	answered++;
	uint_fast32_t i = sampled++;
	if (i < SAMPLES) {
		samples[i] = (uint32_t) ((at - from) * 1e9);
	}
}

static void
req_done(void *arg)
{
	struct work *work = arg;
	nng_msg     *msg;
	check(nng_aio_result(work->aio), "req");
	if (work->state == 0) {
		work->state = 1;
		nng_ctx_recv(work->ctx, work->aio);
		return;
	}
	if (work->state == 1) {
		double at = now();
		msg       = nng_aio_get_msg(work->aio);
		if (nng_msg_len(msg) != size) {
			fprintf(stderr, "wrong reply\n");
			exit(1);
		}
		answer(work->from, at);
		nng_msg_free(msg);
	}
	check(nng_msg_alloc(&msg, size), "alloc");
	work->state = 0;
	work->from  = now();
	nng_aio_set_msg(work->aio, msg);
	nng_ctx_send(work->ctx, work->aio);
}

static int
by_value(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *) a, y = *(const uint32_t *) b;
	return (x < y ? -1 : x > y);
}

static void
report_req(double seconds)
{
	uint32_t n = sampled < SAMPLES ? (uint32_t) sampled : SAMPLES;
	qsort(samples, n, sizeof(*samples), by_value);
	printf("{\"rate\":%f,\"p50\":%f,\"p99\":%f}\n", (double) answered / seconds, samples[n / 2] / 1e3,
	    samples[n - 1 - n / 100] / 1e3);
	fflush(stdout);
	_exit(0);
}

int
main(int argc, char **argv)
{
	nng_socket  socket;
	const char *mode = argc > 1 ? argv[1] : "";
	if (strcmp(mode, "pull") == 0) {
		warm = atof(argv[3]);
		check(nng_pull0_open(&pull), "open");
		check(nng_aio_alloc(&pull_aio, pull_done, NULL), "aio");
		check(nng_socket_set_size(pull, NNG_OPT_RECVMAXSZ, 0), "recvmaxsz");
		nng_recv_aio(pull, pull_aio);
		check(nng_dial(pull, argv[2], NULL, 0), "dial");
		pause();
	} else if (strcmp(mode, "push") == 0) {
		size = (size_t) atoi(argv[2]);
		check(nng_push0_open(&push), "open");
		check(nng_socket_set_int(push, NNG_OPT_SENDBUF, 1024), "sendbuf");
		check(nng_aio_alloc(&push_aio, push_done, NULL), "aio");
		check(nng_pipe_notify(push, NNG_PIPE_EV_ADD_POST, push_begins, argv[3]), "notify");
		listen_any(push);
		/* Ended by the benchmark once the other side has all. */
		pause();
	} else if (strcmp(mode, "rep") == 0) {
		check(nng_rep0_open(&socket), "open");
		listen_any(socket);
		for (int i = 0; i < 256; i++) {
			struct work *work = calloc(1, sizeof(*work));
			check(nng_ctx_open(&work->ctx, socket), "ctx");
			check(nng_aio_alloc(&work->aio, rep_done, work), "aio");
			nng_ctx_recv(work->ctx, work->aio);
		}
		pause();
	} else if (strcmp(mode, "req") == 0) {
		int    outstanding = atoi(argv[4]);
		double seconds     = atof(argv[5]);
		size               = (size_t) atoi(argv[3]);
		samples            = calloc(SAMPLES, sizeof(*samples));
		check(nng_req0_open(&socket), "open");
		check(nng_socket_set_size(socket, NNG_OPT_RECVMAXSZ, 0), "recvmaxsz");
		check(nng_dial(socket, argv[2], NULL, 0), "dial");
		begins_at = now() + atof(argv[6]);
		ends_at   = begins_at + seconds;
		if (outstanding == 1) {
			while (now() < ends_at) {
				nng_msg *msg;
				double   from = now();
				check(nng_msg_alloc(&msg, size), "alloc");
				check(nng_sendmsg(socket, msg, 0), "send");
				check(nng_recvmsg(socket, &msg, 0), "receive");
				answer(from, now());
				nng_msg_free(msg);
			}
			report_req(seconds);
		}
		for (int i = 0; i < outstanding; i++) {
			struct work *work = calloc(1, sizeof(*work));
			work->state       = 2;
			check(nng_ctx_open(&work->ctx, socket), "ctx");
			check(nng_aio_alloc(&work->aio, req_done, work), "aio");
			req_done(work);
		}
		while (now() < ends_at) {
			nng_msleep(5);
		}
		report_req(seconds);
	}
	return (2);
}
