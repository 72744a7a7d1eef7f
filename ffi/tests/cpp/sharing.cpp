/* What remrembg.hpp promises of callbacks and threads. */

#include "../c/check.h"
#include "picture.hpp"

#include <algorithm>
#include <atomic>
#include <future>
#include <memory>
#include <stdexcept>
#include <thread>
#include <vector>

using remrembg::Bytes;
using remrembg::Options;
using remrembg::Output;
using remrembg::Remover;
using remrembg::Target;

namespace {

void progress_is_told(const Remover &remover)
{
    std::vector<std::pair<remrembg_stage, float>> told;
    Options options;
    options.progress([&](remrembg_stage stage, float fraction) { told.emplace_back(stage, fraction); });
    (void)remover.remove(bmp(), options);
    CHECK(!told.empty() && told.front() == std::pair(REMREMBG_STAGE_DECODE, 0.0F));
    CHECK(!told.empty() && told.back() == std::pair(REMREMBG_STAGE_ENCODE, 1.0F));
    CHECK(std::is_sorted(told.begin(), told.end()));
    told.clear();
    options.progress(nullptr);
    (void)remover.remove(bmp(), options);
    CHECK(told.empty());
}

void exceptions_come_out(const Remover &remover)
{
    int told = 0;
    Options options;
    options.progress([&](remrembg_stage, float) {
        told++;
        throw std::runtime_error("thrown");
    });
    CHECK(thrown_by([&] { (void)remover.remove(bmp(), options); }) == "thrown");
    CHECK(told == 1);
    Buffer room(SIDE * SIDE * 4);
    CHECK(thrown_by([&] { remover.remove_into(bmp(), Target(room, SIDE, SIDE, RGBA), options); }) == "thrown");

    options.progress([&](remrembg_stage, float) {
        options.cancel();
        throw 7;
    });
    int caught = 0;
    try {
        (void)remover.remove(bmp(), options);
    } catch (int number) {
        caught = number;
    }
    CHECK(caught == 7);
    CHECK(remover.remove(bmp()).width() == SIDE);
}

void a_progress_function_may_remove(const Remover &remover)
{
    int depth = 0, inside = 0;
    Options options;
    // Each callback of the outer removal removes; within that, those of one stage do.
    options.progress([&](remrembg_stage stage, float) {
        if (depth == 2) {
            throw std::runtime_error("deep");
        }
        if (depth == 1 && stage != REMREMBG_STAGE_SEGMENT) {
            return;
        }
        depth++;
        inside += thrown_by([&] { (void)remover.remove(bmp(), options); }) == "deep";
        depth--;
    });
    CHECK(remover.remove(bmp(), options).width() == SIDE);
    CHECK(inside > 6);

    Options others;
    others.progress([&](remrembg_stage, float) { (void)remover.remove(Bytes()); });
    CHECK(code_of([&] { (void)remover.remove(bmp(), others); }) == REMREMBG_NO_IMAGE);
}

/* A removal on another thread that waits in its progress function until it may go on. */
struct Held {
    std::promise<void> begun, go;
    std::future<remrembg_code> code;
    std::weak_ptr<int> alive;

    Held(const Remover &remover, Options &options)
    {
        auto owned = std::make_shared<int>(0);
        alive = owned;
        options.progress([this, owned, first = std::make_shared<std::atomic<bool>>(true)](remrembg_stage, float) {
            if (first->exchange(false)) {
                begun.set_value();
                go.get_future().wait();
            }
            ++*owned;
        });
        code = std::async(std::launch::async, [&] { return code_of([&] { (void)remover.remove(bmp(), options); }); });
        owned.reset();
        begun.get_future().wait();
    }

    remrembg_code end()
    {
        go.set_value();
        return code.get();
    }
};

void another_thread_cancels(const Remover &remover)
{
    Options options;
    Held removal(remover, options);
    options.cancel();
    CHECK(removal.end() == REMREMBG_CANCELLED);
    CHECK(code_of([&] { (void)remover.remove(bmp(), options); }) == REMREMBG_CANCELLED);
}

void options_may_go_while_a_removal_runs(const Remover &remover)
{
    auto options = std::make_unique<Options>();
    Held destroyed(remover, *options);
    options.reset();
    CHECK(!destroyed.alive.expired());
    CHECK(destroyed.end() == REMREMBG_OK);
    CHECK(destroyed.alive.expired());

    Options changed;
    Held removal(remover, changed);
    changed.set("w", "abc").progress(nullptr);
    CHECK(!removal.alive.expired());
    CHECK(removal.end() == REMREMBG_OK && removal.alive.expired());

    Options from;
    Held moved(remover, from);
    Options to = std::move(from);
    to.cancel();
    CHECK(moved.end() == REMREMBG_CANCELLED);
}

void threads_share_a_remover_and_options(const Remover &remover)
{
    constexpr int ROUNDS = 25;
    Options options;
    std::atomic<int> told{0};
    options.set("format", "png").progress([&](remrembg_stage stage, float fraction) {
        if (stage == REMREMBG_STAGE_DECODE && fraction == 0.0F && told++ % 5 == 0) {
            throw std::this_thread::get_id();
        }
    });
    const Buffer file = bmp();
    const Output expected = remover.remove(file, Options().set("format", "png"));
    std::vector<std::future<std::pair<int, int>>> threads;
    for (int i = 0; i < 4; i++) {
        threads.push_back(std::async(std::launch::async, [&] {
            std::pair<int, int> good{0, 0};
            for (int round = 0; round < ROUNDS; round++) {
                try {
                    const Output output = remover.remove(file, options);
                    good.first += output.data().chars() == expected.data().chars();
                } catch (const std::thread::id &thrower) {
                    good.second += thrower == std::this_thread::get_id();
                }
            }
            return good;
        }));
    }
    std::pair<int, int> good{0, 0};
    for (auto &thread : threads) {
        const auto [made, thrown] = thread.get();
        good = {good.first + made, good.second + thrown};
    }
    CHECK(good.first == 4 * ROUNDS * 4 / 5 && good.second == 4 * ROUNDS / 5);
    CHECK(told == 4 * ROUNDS);
}

}  // namespace

int main()
{
    try {
        Remover remover(tiny());
        progress_is_told(remover);
        exceptions_come_out(remover);
        a_progress_function_may_remove(remover);
        another_thread_cancels(remover);
        options_may_go_while_a_removal_runs(remover);
        threads_share_a_remover_and_options(remover);
    } catch (const std::exception &error) {
        CHECK_TEXT(error.what(), "nothing thrown");
    }
    return checked();
}
