/* Threads that share removers and options.
 *
 * A removal is held at a stage, by its progress callback, until what has to
 * happen meanwhile has happened: nothing here depends on who is faster. */
#define _POSIX_C_SOURCE 200809L
#include <pthread.h>
#include <remrembg.h>
#include <time.h>
#include <unistd.h>

#include "check.h"
#include "removal.h"

enum { THREADS = 8, ROUNDS = 5, LARGE_WIDTH = 3000, LARGE_HEIGHT = 2000 };

static void begin(struct removal *removal)
{
    removal->output = NULL;
    CHECK(pthread_create(&removal->thread, NULL, remove_once, removal) == 0);
}

static void begin_all(struct removal *removals, const struct removal *like)
{
    for (int i = 0; i < THREADS; i++) {
        removals[i] = *like;
        begin(&removals[i]);
    }
}

static remrembg_code end(struct removal *removal)
{
    CHECK(pthread_join(removal->thread, NULL) == 0);
    CHECK((removal->output != NULL) == (removal->code == REMREMBG_OK));
    return removal->code;
}

/* Waits for all, and checks that they went well and made the same. */
static void end_all_alike(struct removal *removals)
{
    size_t size = 0, first_size = 0;
    const uint8_t *data, *first = NULL;
    for (int i = 0; i < THREADS; i++) {
        CHECK(end(&removals[i]) == REMREMBG_OK);
        data = remrembg_output_data(removals[i].output, &size);
        if (i == 0) {
            first = data;
            first_size = size;
        }
        CHECK(size > 0 && size == first_size && memcmp(data, first, size) == 0);
    }
    for (int i = 0; i < THREADS; i++) {
        remrembg_output_free(removals[i].output);
    }
}

/* Where removals wait: at the start of a stage, or in the middle of it. */
struct gate {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    int stage, middle, waiting, open;
};

static void wait_at(void *user_data, remrembg_stage stage, float fraction)
{
    struct gate *gate = user_data;
    if ((int)stage != gate->stage || (gate->middle ? fraction == 0 || fraction == 1 : fraction != 0)) {
        return;
    }
    pthread_mutex_lock(&gate->lock);
    gate->waiting++;
    pthread_cond_broadcast(&gate->changed);
    while (!gate->open) {
        pthread_cond_wait(&gate->changed, &gate->lock);
    }
    pthread_mutex_unlock(&gate->lock);
}

static void put_gate(struct gate *gate, remrembg_options *options, int stage, int middle)
{
    gate->stage = stage;
    gate->middle = middle;
    gate->waiting = gate->open = 0;
    CHECK(pthread_mutex_init(&gate->lock, NULL) == 0 && pthread_cond_init(&gate->changed, NULL) == 0);
    CHECK(remrembg_options_set_progress(options, wait_at, gate, NULL) == REMREMBG_OK);
}

static void until_waiting(struct gate *gate, int count)
{
    pthread_mutex_lock(&gate->lock);
    while (gate->waiting < count) {
        pthread_cond_wait(&gate->changed, &gate->lock);
    }
    pthread_mutex_unlock(&gate->lock);
}

static void open_gate(struct gate *gate)
{
    pthread_mutex_lock(&gate->lock);
    gate->open = 1;
    pthread_cond_broadcast(&gate->changed);
    pthread_mutex_unlock(&gate->lock);
}

static void take_gate(struct gate *gate)
{
    CHECK(pthread_cond_destroy(&gate->changed) == 0 && pthread_mutex_destroy(&gate->lock) == 0);
}

static void all_threads_get_the_same(const remrembg_pixels *pixels)
{
    remrembg_remover *remover = new_remover("");
    remrembg_options *options = new_options();
    struct removal removals[THREADS], like = {.remover = remover, .options = options, .pixels = pixels};
    for (int round = 0; round < ROUNDS; round++) {
        begin_all(removals, &like);
        end_all_alike(removals);
    }
    remrembg_options_free(options);
    remrembg_remover_free(remover);
}

static void removals_outlive_what_they_began_with(const remrembg_pixels *pixels)
{
    for (int stage = REMREMBG_STAGE_DECODE; stage <= REMREMBG_STAGE_ENCODE; stage += REMREMBG_STAGE_SEGMENT) {
        remrembg_remover *remover = new_remover("8");
        remrembg_options *options = new_options();
        struct removal removals[THREADS], like = {.remover = remover, .options = options, .pixels = pixels};
        struct gate gate;
        put_gate(&gate, options, stage, 0);
        begin_all(removals, &like);
        until_waiting(&gate, THREADS);
        remrembg_options_free(options);
        remrembg_remover_free(remover);
        remove_once(&like);
        CHECK(like.code == REMREMBG_MISUSE);
        open_gate(&gate);
        end_all_alike(removals);
        take_gate(&gate);
    }
}

static void cancelled_at(int stage, int middle, const remrembg_pixels *pixels)
{
    remrembg_remover *remover = new_remover("1");
    remrembg_options *options = new_options();
    struct removal removal = {.remover = remover, .options = options, .pixels = pixels};
    struct gate gate;
    if (middle) {
        remrembg_options_set(options, "w", "", NULL);
    }
    put_gate(&gate, options, stage, middle);
    begin(&removal);
    until_waiting(&gate, 1);
    remrembg_options_cancel(options);
    open_gate(&gate);
    CHECK(end(&removal) == REMREMBG_CANCELLED);
    remove_once(&removal);
    CHECK(removal.code == REMREMBG_CANCELLED);
    CHECK(works(remover));
    take_gate(&gate);
    remrembg_options_free(options);
    remrembg_remover_free(remover);
}

static void a_cancellation_ends_every_stage(const remrembg_pixels *pixels)
{
    for (int stage = REMREMBG_STAGE_DECODE; stage <= REMREMBG_STAGE_ENCODE; stage++) {
        if (stage != REMREMBG_STAGE_UPRIGHT) {
            cancelled_at(stage, 0, pixels);
        }
    }
    cancelled_at(REMREMBG_STAGE_ROTATE, 1, pixels);
    /* A small picture is encoded in one piece. */
    remrembg_pixels large = new_picture(LARGE_WIDTH, LARGE_HEIGHT);
    cancelled_at(REMREMBG_STAGE_ENCODE, 1, &large);
    free((void *)large.data);
}

/* Wherever it strikes, and whether or not it comes in time: a removal is
 * cancelled or done, and the next one works. */
static void a_cancellation_may_come_at_any_time(void)
{
    remrembg_pixels pixels = new_picture(LARGE_WIDTH, LARGE_HEIGHT);
    remrembg_remover *remover = new_remover("");
    for (int i = 0; i < 12; i++) {
        struct timespec pause = {0, i * 7000000L};
        remrembg_options *options = new_options();
        struct removal removal = {.remover = remover, .options = options, .pixels = &pixels};
        remrembg_options_set(options, "w", "", NULL);
        begin(&removal);
        nanosleep(&pause, NULL);
        remrembg_options_cancel(options);
        CHECK(end(&removal) == REMREMBG_OK || removal.code == REMREMBG_CANCELLED);
        remrembg_output_free(removal.output);
        remrembg_options_free(options);
    }
    CHECK(works(remover));
    remrembg_remover_free(remover);
    free((void *)pixels.data);
}

static void cancel(void *user_data, remrembg_stage stage, float fraction)
{
    (void)fraction;
    if (stage == REMREMBG_STAGE_SEGMENT) {
        remrembg_options_cancel(user_data);
    }
}

static void a_callback_cancels_its_own_removal(const remrembg_pixels *pixels)
{
    remrembg_remover *remover = new_remover("1");
    remrembg_options *options = new_options();
    struct removal removal = {.remover = remover, .options = options, .pixels = pixels};
    CHECK(remrembg_options_set_progress(options, cancel, options, NULL) == REMREMBG_OK);
    remove_once(&removal);
    CHECK(removal.code == REMREMBG_CANCELLED);
    CHECK(works(remover));
    remrembg_options_free(options);
    remrembg_remover_free(remover);
}

/* What a callback calls back into. The counts are its threads' to share. */
struct inside {
    remrembg_remover *remover;
    remrembg_options *options;
    pthread_mutex_t lock;
    int calls, wrong;
};

static int calls_back(struct inside *inside)
{
    uint32_t width = 0, height = 0;
    remrembg_options *more = remrembg_options_new();
    int wrong = !works(inside->remover);
    wrong |= remrembg_options_set(inside->options, "expand", "true", NULL) != REMREMBG_OK;
    wrong |= remrembg_options_set_progress(more, wait_at, NULL, NULL) != REMREMBG_OK;
    wrong |= remrembg_options_size(inside->options, WIDTH, HEIGHT, &width, &height, NULL) != REMREMBG_OK;
    wrong |= width == 0 || height == 0 || remrembg_remover_engine(inside->remover) == NULL;
    remrembg_options_free(more);
    return wrong;
}

static void call_back(void *user_data, remrembg_stage stage, float fraction)
{
    struct inside *inside = user_data;
    int wrong;
    (void)stage;
    if (fraction != 0) {
        return;
    }
    wrong = calls_back(inside);
    pthread_mutex_lock(&inside->lock);
    inside->calls++;
    inside->wrong += wrong;
    pthread_mutex_unlock(&inside->lock);
}

static void callbacks_call_back_in(const remrembg_pixels *pixels)
{
    remrembg_remover *remover = new_remover("1");
    remrembg_options *options = new_options();
    struct removal removals[THREADS], like = {.remover = remover, .options = options, .pixels = pixels};
    struct inside inside = {.remover = remover, .options = options};
    CHECK(pthread_mutex_init(&inside.lock, NULL) == 0);
    CHECK(remrembg_options_set_progress(options, call_back, &inside, NULL) == REMREMBG_OK);
    begin_all(removals, &like);
    end_all_alike(removals);
    CHECK(inside.calls >= THREADS * 8 && inside.wrong == 0);
    CHECK(pthread_mutex_destroy(&inside.lock) == 0);
    remrembg_options_free(options);
    remrembg_remover_free(remover);
}

static void free_both(void *user_data, remrembg_stage stage, float fraction)
{
    struct inside *inside = user_data;
    if (stage == REMREMBG_STAGE_SEGMENT && fraction == 0) {
        remrembg_options_free(inside->options);
        remrembg_remover_free(inside->remover);
    }
}

static void a_callback_frees_what_it_runs_with(const remrembg_pixels *pixels)
{
    struct inside inside = {.remover = new_remover("1"), .options = new_options()};
    struct removal removal = {.remover = inside.remover, .options = inside.options, .pixels = pixels};
    CHECK(remrembg_options_set_progress(inside.options, free_both, &inside, NULL) == REMREMBG_OK);
    remove_once(&removal);
    CHECK(removal.code == REMREMBG_OK);
    remrembg_output_free(removal.output);
}

static void *change(void *argument)
{
    static const char *const widths[] = {"16", "24"};
    remrembg_options *options = argument;
    for (int i = 0; i < 500; i++) {
        remrembg_options_set(options, "w", widths[i % 2], NULL);
        remrembg_options_set_progress(options, NULL, NULL, NULL);
    }
    return NULL;
}

static void a_removal_sees_its_options_whole(const remrembg_pixels *pixels)
{
    remrembg_remover *remover = new_remover("");
    remrembg_options *options = remrembg_options_new();
    struct removal removals[THREADS], like = {.remover = remover, .options = options, .pixels = pixels};
    pthread_t changer;
    remrembg_options_set(options, "w", "24", NULL);
    CHECK(pthread_create(&changer, NULL, change, options) == 0);
    for (int round = 0; round < ROUNDS; round++) {
        begin_all(removals, &like);
        for (int i = 0; i < THREADS; i++) {
            uint32_t width = 0, height = 0;
            CHECK(end(&removals[i]) == REMREMBG_OK);
            remrembg_output_size(removals[i].output, &width, &height);
            CHECK((width == 16 && height == 11) || (width == 24 && height == 16));
            remrembg_output_free(removals[i].output);
        }
    }
    CHECK(pthread_join(changer, NULL) == 0);
    remrembg_options_free(options);
    remrembg_remover_free(remover);
}

static void *make_and_free(void *argument)
{
    int *worked = argument;
    remrembg_remover *remover = new_remover("");
    *worked = works(remover);
    remrembg_remover_free(remover);
    return NULL;
}

static void every_thread_may_have_its_own(void)
{
    pthread_t threads[THREADS];
    int worked[THREADS];
    for (int i = 0; i < THREADS; i++) {
        CHECK(pthread_create(&threads[i], NULL, make_and_free, &worked[i]) == 0);
    }
    for (int i = 0; i < THREADS; i++) {
        CHECK(pthread_join(threads[i], NULL) == 0 && worked[i]);
    }
}

/* pthread_cancel() takes effect once the removal is done. */
static void *remove_and_be_cancelled(void *argument)
{
    remove_once(argument);
    for (;;) {
        pthread_testcancel();
    }
    return NULL;
}

static void a_cancelled_thread_ends_its_removal_first(const remrembg_pixels *pixels)
{
    remrembg_remover *remover = new_remover("");
    remrembg_options *options = new_options();
    struct removal removal = {.remover = remover, .options = options, .pixels = pixels, .code = REMREMBG_INTERNAL};
    struct gate gate;
    void *ended = NULL;
    put_gate(&gate, options, REMREMBG_STAGE_DECODE, 0);
    CHECK(pthread_create(&removal.thread, NULL, remove_and_be_cancelled, &removal) == 0);
    until_waiting(&gate, 1);
    CHECK(pthread_cancel(removal.thread) == 0);
    open_gate(&gate);
    CHECK(pthread_join(removal.thread, &ended) == 0 && ended == PTHREAD_CANCELED);
    CHECK(removal.code == REMREMBG_OK && removal.output != NULL);
    remrembg_output_free(removal.output);
    take_gate(&gate);
    remrembg_options_free(options);
    remrembg_remover_free(remover);
}

/* So it does once a remover is freed, which waits for threads. */
static void *free_and_be_cancelled(void *argument)
{
    int *freed = argument;
    remrembg_remover *remover = new_remover("");
    CHECK(works(remover));
    CHECK(pthread_cancel(pthread_self()) == 0);
    remrembg_remover_free(remover);
    *freed = 1;
    for (;;) {
        pthread_testcancel();
    }
    return NULL;
}

static void a_cancelled_thread_frees_its_remover_first(void)
{
    pthread_t thread;
    int freed = 0;
    void *ended = NULL;
    CHECK(pthread_create(&thread, NULL, free_and_be_cancelled, &freed) == 0);
    CHECK(pthread_join(thread, &ended) == 0 && ended == PTHREAD_CANCELED && freed);
}

int main(void)
{
    remrembg_pixels pixels = new_picture(WIDTH, HEIGHT);
    alarm(PATIENCE_SECONDS);
    all_threads_get_the_same(&pixels);
    a_cancelled_thread_ends_its_removal_first(&pixels);
    a_cancelled_thread_frees_its_remover_first();
    removals_outlive_what_they_began_with(&pixels);
    a_cancellation_ends_every_stage(&pixels);
    a_cancellation_may_come_at_any_time();
    a_callback_cancels_its_own_removal(&pixels);
    callbacks_call_back_in(&pixels);
    a_callback_frees_what_it_runs_with(&pixels);
    a_removal_sees_its_options_whole(&pixels);
    every_thread_may_have_its_own();
    free((void *)pixels.data);
    return checked();
}
