/* A process that forks: what its child can use, and what not. */
#define _POSIX_C_SOURCE 200809L
#include <poll.h>
#include <pthread.h>
#include <remrembg.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "check.h"
#include "removal.h"

/* What holds in a child. It ends by being stopped, so that neither exit
 * handlers nor leak checkers look at what it has of its parent. */
static void be_a_child(remrembg_remover *of_parent, remrembg_options *options, int answer)
{
    char count;
    remrembg_error *error = NULL;
    remrembg_output *output = NULL;
    remrembg_remover *own;
    alarm(PATIENCE_SECONDS);
    failures = 0;
    CHECK(remrembg_remove_bytes(of_parent, NULL, 0, NULL, options, NULL, &output, &error) == REMREMBG_ENGINE_FAILED);
    CHECK(output == NULL && strstr(remrembg_error_message(error), "fork") != NULL);
    CHECK(!works(of_parent));
    CHECK(remrembg_remover_engine(of_parent) != NULL);
    remrembg_error_free(error);
    remrembg_remover_free(of_parent);
    remrembg_options_free(options);
    own = new_remover("1");
    CHECK(works(own));
    remrembg_remover_free(own);
    count = (char)failures;
    if (write(answer, &count, 1) == 1) {
        pause();
    }
    _exit(2);
}

static void fork_and_check(remrembg_remover *remover, remrembg_options *options)
{
    struct pollfd answer = {.events = POLLIN};
    int ends[2] = {-1, -1};
    char count = 1;
    pid_t child;
    CHECK(pipe(ends) == 0);
    child = fork();
    if (child == 0) {
        be_a_child(remover, options, ends[1]);
    }
    if (child < 0) {
        failures++;
        perror("fork");
        return;
    }
    answer.fd = ends[0];
    close(ends[1]);
    CHECK(poll(&answer, 1, PATIENCE_SECONDS * 100) == 1);
    CHECK(answer.revents != 0 && read(ends[0], &count, 1) == 1 && count == 0);
    CHECK(kill(child, SIGKILL) == 0 && waitpid(child, NULL, 0) == child);
    close(ends[0]);
}

/* What a child gets of its parent's. */
struct parent {
    remrembg_remover *remover;
    remrembg_options *options;
};

static void fork_inside(void *user_data, remrembg_stage stage, float fraction)
{
    struct parent *parent = user_data;
    if (stage == REMREMBG_STAGE_ENCODE && fraction == 0) {
        fork_and_check(parent->remover, parent->options);
    }
}

static void a_child_cannot_use_what_its_parent_made(const remrembg_pixels *pixels)
{
    remrembg_remover *remover = new_remover("");
    remrembg_options *options = new_options();
    struct parent parent = {.remover = remover, .options = options};
    struct removal removal = {.remover = remover, .options = options, .pixels = pixels};
    CHECK(works(remover));
    fork_and_check(remover, options);
    CHECK(remrembg_options_set_progress(options, fork_inside, &parent, NULL) == REMREMBG_OK);
    remove_once(&removal);
    CHECK(removal.code == REMREMBG_OK);
    remrembg_output_free(removal.output);
    CHECK(works(remover));
    remrembg_options_free(options);
    remrembg_remover_free(remover);
}

/* Makes and frees handles, or changes options, until it is told to end. */
struct busy {
    pthread_mutex_t lock;
    remrembg_options *options;
    int end;
};

static void *make_handles(void *argument)
{
    struct busy *busy = argument;
    int end = 0;
    while (!end) {
        if (busy->options == NULL) {
            remrembg_options_free(remrembg_options_new());
        } else {
            remrembg_options_set(busy->options, "w", "9", NULL);
        }
        pthread_mutex_lock(&busy->lock);
        end = busy->end;
        pthread_mutex_unlock(&busy->lock);
    }
    return NULL;
}

/* A child that waited for a lock of a thread it does not have would be stopped by its alarm. */
static void a_child_can_make_handles(remrembg_options *options)
{
    int status = -1;
    pid_t child = fork();
    if (child == 0) {
        alarm(20);
        remrembg_options_free(remrembg_options_new());
        _exit(options != NULL && remrembg_options_set(options, "h", "9", NULL) != REMREMBG_OK);
    }
    CHECK(child > 0 && waitpid(child, &status, 0) == child && status == 0);
}

static void a_child_of_a_busy_parent_can_make_handles(int children, remrembg_options *options)
{
    struct busy busy = {PTHREAD_MUTEX_INITIALIZER, options, 0};
    pthread_t thread;
    CHECK(pthread_create(&thread, NULL, make_handles, &busy) == 0);
    for (int round = 0; round < children && failures == 0; round++) {
        a_child_can_make_handles(options);
    }
    pthread_mutex_lock(&busy.lock);
    busy.end = 1;
    pthread_mutex_unlock(&busy.lock);
    CHECK(pthread_join(thread, NULL) == 0);
}

/* Of a process that begins to use the library there is one first moment, so there are many processes. This one must
 * have made no handle before. */
static void so_it_can_while_the_parent_makes_its_first(void)
{
    for (int round = 0; round < 200 && failures == 0; round++) {
        int status = -1;
        pid_t parent = fork();
        if (parent == 0) {
            alarm(60);
            a_child_of_a_busy_parent_can_make_handles(1, NULL);
            _exit(failures != 0);
        }
        CHECK(parent > 0 && waitpid(parent, &status, 0) == parent && status == 0);
    }
}

int main(void)
{
    remrembg_options *options;
    remrembg_pixels pixels = new_picture(WIDTH, HEIGHT);
    alarm(PATIENCE_SECONDS);
    so_it_can_while_the_parent_makes_its_first();
    a_child_of_a_busy_parent_can_make_handles(50, NULL);
    options = remrembg_options_new();
    a_child_of_a_busy_parent_can_make_handles(200, options);
    remrembg_options_free(options);
    a_child_cannot_use_what_its_parent_made(&pixels);
    free((void *)pixels.data);
    return checked();
}
