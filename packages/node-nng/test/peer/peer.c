/*
 * A peer made of the C library, told what to do by lines on its standard input; it answers each with one line.
 *
 *   peer PROTOCOL [PROTOCOL]        opens one socket, or two raw ones for a device
 *
 *   listen I URL     ok URL (with the real port)      dial I URL       ok (in the background)
 *   send I HEX       ok                               recv I           got HEX
 *   subscribe I HEX  ok                               ms I OPTION N    ok
 *   int I OPTION N   ok                               device           ok, and forwards from then on
 *   pipes I          ok N, so many connections
 *
 * I is 0 or 1, HEX is - for nothing. A failure is answered by "error" and nng's words for it.
 */
#include <nng/nng.h>
#include <nng/protocol/bus0/bus.h>
#include <nng/protocol/pair0/pair.h>
#include <nng/protocol/pair1/pair.h>
#include <nng/protocol/pipeline0/pull.h>
#include <nng/protocol/pipeline0/push.h>
#include <nng/protocol/pubsub0/pub.h>
#include <nng/protocol/pubsub0/sub.h>
#include <nng/protocol/reqrep0/rep.h>
#include <nng/protocol/reqrep0/req.h>
#include <nng/protocol/survey0/respond.h>
#include <nng/protocol/survey0/survey.h>
#include <nng/supplemental/util/platform.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef int (*open_fn)(nng_socket *);

static const struct {
	const char *name;
	open_fn     open;
	open_fn     open_raw;
} protocols[] = {
	{ "pair0", nng_pair0_open, nng_pair0_open_raw },
	{ "pair1", nng_pair1_open, nng_pair1_open_raw },
	{ "pub", nng_pub0_open, nng_pub0_open_raw },
	{ "sub", nng_sub0_open, nng_sub0_open_raw },
	{ "req", nng_req0_open, nng_req0_open_raw },
	{ "rep", nng_rep0_open, nng_rep0_open_raw },
	{ "push", nng_push0_open, nng_push0_open_raw },
	{ "pull", nng_pull0_open, nng_pull0_open_raw },
	{ "surveyor", nng_surveyor0_open, nng_surveyor0_open_raw },
	{ "respondent", nng_respondent0_open, nng_respondent0_open_raw },
	{ "bus", nng_bus0_open, nng_bus0_open_raw },
};

static nng_socket sockets[2];
static int        count;

/* Pipes that each socket has, counted on threads of the library. */
static _Atomic int pipes[2];

static void
on_pipe(nng_pipe pipe, nng_pipe_ev event, void *counter)
{
	(void) pipe;
	*(_Atomic int *) counter += event == NNG_PIPE_EV_ADD_POST ? 1 : -1;
}

static int
open_socket(const char *name, int raw, nng_socket *socket)
{
	for (size_t i = 0; i < sizeof(protocols) / sizeof(protocols[0]); i++) {
		if (strcmp(protocols[i].name, name) == 0) {
			return (raw ? protocols[i].open_raw(socket)
			            : protocols[i].open(socket));
		}
	}
	return (NNG_EINVAL);
}

static void
answer(int rv)
{
	if (rv == 0) {
		puts("ok");
	} else {
		printf("error %s\n", nng_strerror(rv));
	}
}

static int
nibble(char c)
{
	return (c <= '9' ? c - '0' : c - 'a' + 10);
}

static size_t
unhex(const char *text, unsigned char *bytes)
{
	size_t n = 0;
	while (text[0] != '-' && text[0] != '\0' && text[1] != '\0') {
		bytes[n++] = (unsigned char) (nibble(text[0]) << 4 | nibble(text[1]));
		text += 2;
	}
	return (n);
}

static void
listen_on(nng_socket socket, const char *url)
{
	nng_listener listener;
	int          port;
	int          rv = nng_listen(socket, url, &listener, 0);
	if (rv != 0) {
		answer(rv);
	} else if (strncmp(url, "tcp", 3) == 0 &&
	    nng_listener_get_int(listener, NNG_OPT_TCP_BOUND_PORT, &port) == 0) {
		printf("ok %.*s:%d\n", (int) (strrchr(url, ':') - url), url, port);
	} else {
		printf("ok %s\n", url);
	}
}

static void
receive(nng_socket socket)
{
	nng_msg *msg;
	int      rv = nng_recvmsg(socket, &msg, 0);
	if (rv != 0) {
		answer(rv);
		return;
	}
	unsigned char *body = nng_msg_body(msg);
	size_t         size = nng_msg_len(msg);
	fputs("got ", stdout);
	for (size_t i = 0; i < size; i++) {
		printf("%02x", body[i]);
	}
	puts(size == 0 ? "-" : "");
	nng_msg_free(msg);
}

static void
run_device(void *arg)
{
	(void) arg;
	nng_device(sockets[0], sockets[1]);
}

int
main(int argc, char **argv)
{
	size_t room = 8 * 1024 * 1024;
	char  *line = malloc(room);
	count       = argc - 1;
	for (int i = 0; i < count && i < 2; i++) {
		int rv = open_socket(argv[i + 1], count == 2, &sockets[i]);
		if (rv != 0) {
			fprintf(stderr, "%s: %s\n", argv[i + 1], nng_strerror(rv));
			return (1);
		}
		nng_pipe_notify(sockets[i], NNG_PIPE_EV_ADD_POST, on_pipe, &pipes[i]);
		nng_pipe_notify(sockets[i], NNG_PIPE_EV_REM_POST, on_pipe, &pipes[i]);
	}
	setvbuf(stdout, NULL, _IOLBF, 0);
	while (fgets(line, (int) room, stdin) != NULL) {
		line[strcspn(line, "\n")] = '\0';
		char      *command        = strtok(line, " ");
		char      *index          = strtok(NULL, " ");
		char      *text           = strtok(NULL, " ");
		char      *number         = strtok(NULL, " ");
		nng_socket socket         = sockets[index != NULL && *index == '1'];
		nng_thread *thread;
		if (command == NULL) {
			continue;
		} else if (strcmp(command, "device") == 0) {
			answer(nng_thread_create(&thread, run_device, NULL));
		} else if (strcmp(command, "recv") == 0) {
			receive(socket);
		} else if (strcmp(command, "pipes") == 0) {
			printf("ok %d\n", pipes[index != NULL && *index == '1']);
		} else if (text == NULL) {
			answer(NNG_EINVAL);
		} else if (strcmp(command, "listen") == 0) {
			listen_on(socket, text);
		} else if (strcmp(command, "dial") == 0) {
			answer(nng_dial(socket, text, NULL, NNG_FLAG_NONBLOCK));
		} else if (strcmp(command, "send") == 0) {
			size_t size = unhex(text, (unsigned char *) text);
			answer(nng_send(socket, text, size, 0));
		} else if (strcmp(command, "subscribe") == 0) {
			size_t size = unhex(text, (unsigned char *) text);
			answer(nng_socket_set(socket, NNG_OPT_SUB_SUBSCRIBE, text, size));
		} else if (strcmp(command, "ms") == 0 && number != NULL) {
			answer(nng_socket_set_ms(socket, text, atoi(number)));
		} else if (strcmp(command, "int") == 0 && number != NULL) {
			answer(nng_socket_set_int(socket, text, atoi(number)));
		} else {
			answer(NNG_EINVAL);
		}
	}
	for (int i = 0; i < count && i < 2; i++) {
		nng_close(sockets[i]);
	}
	return (0);
}
