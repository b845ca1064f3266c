/* SPDX-License-Identifier: MPL-2.0 */
/* Drives the entry points of the decoders, LLVMFuzzerTestOneInput, which a file of this folder
 * defines together with its seeds: inputs that reach deep. As an ordinary test a bounded number of
 * mutated seeds is tried, the same in every run; FUZZ_ROUNDS in the environment changes how many.
 * With -DFUZZ_LIBFUZZER there is no main, so that libFuzzer can be linked: see libfuzzer.sh. */
#ifndef ZL_TEST_FUZZ_H
#define ZL_TEST_FUZZ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct fuzz_seed {
    const char *data;
    size_t size;
};
#define FUZZ_SEED(literal)                                                                         \
    {                                                                                              \
        literal, sizeof(literal) - 1                                                               \
    }

/* What must hold for every input. */
#define fuzz_check(condition)                                                                      \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #condition);                        \
            abort();                                                                               \
        }                                                                                          \
    } while (0)

/* The octets [data, data + size) in memory of exactly their size; the caller frees it. */
static inline uint8_t *fuzz_copy(const void *data, size_t size)
{
    uint8_t *copy = malloc(size ? size : 1);
    fuzz_check(copy);
    if (size)
        memcpy(copy, data, size);
    return copy;
}

static inline uint32_t fuzz_random(uint64_t *state)
{
    *state = *state * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(*state >> 33);
}

#ifndef FUZZ_LIBFUZZER

enum { FUZZ_SIZE_MAX = 40000, FUZZ_ROUNDS_DEFAULT = 50000 };

struct fuzz_input {
    size_t size;
    uint8_t data[FUZZ_SIZE_MAX];
};

/* Puts `n` octets in at `at`, so many times, as far as there is room. What follows is moved once:
 * octet by octet under a sanitizer, so moving it for each time took most of a test. */
static void fuzz_repeat(struct fuzz_input *input, size_t at, const void *data, size_t n,
                        unsigned times)
{
    size_t room = FUZZ_SIZE_MAX - input->size;
    size_t total = n * times < room ? n * times : room;
    memmove(input->data + at + total, input->data + at, input->size - at);
    for (size_t done = 0; done < total; done += n)
        memcpy(input->data + at + done, data, n < total - done ? n : total - done);
    input->size += total;
}

static void fuzz_insert(struct fuzz_input *input, size_t at, const void *data, size_t n)
{
    fuzz_repeat(input, at, data, n, 1);
}

static void fuzz_remove(struct fuzz_input *input, size_t at, size_t n)
{
    if (n > input->size - at)
        n = input->size - at;
    memmove(input->data + at, input->data + at + n, input->size - at - n);
    input->size -= n;
}

static void fuzz_mutate(struct fuzz_input *input, const struct fuzz_seed *other, uint64_t *state)
{
    static const uint8_t telling[] = {0,   1,   2,   3,   9,   10,  13,  32,  44,  58,  125,
                                      126, 127, 128, 129, 130, 137, 138, 136, 253, 254, 255};
    size_t at = fuzz_random(state) % (input->size + 1);
    size_t n = 1 + fuzz_random(state) % 16;
    uint8_t octets[16];
    for (size_t i = 0; i < sizeof octets; i++)
        octets[i] = (uint8_t)fuzz_random(state);
    switch (fuzz_random(state) % 8) {
    case 0:
        if (at < input->size)
            input->data[at] ^= (uint8_t)(1u << n % 8);
        break;
    case 1:
    case 2:
        if (at < input->size)
            input->data[at] = telling[octets[0] % sizeof telling];
        break;
    case 3:
        fuzz_insert(input, at, octets, n);
        break;
    case 4:
        fuzz_remove(input, at, n);
        break;
    case 5: /* more of the same, now and then over all limits */
        if (n > input->size - at)
            n = input->size - at;
        memcpy(octets, input->data + at, n);
        fuzz_repeat(input, at, octets, n, fuzz_random(state) % 64 ? 1 : 4000);
        break;
    case 6: /* a piece of another seed */
        if (other->size) {
            size_t from = fuzz_random(state) % other->size;
            fuzz_insert(input, at, other->data + from, n < other->size - from ? n : 1);
        }
        break;
    default:
        input->size = at;
    }
}

static void fuzz_one(const struct fuzz_input *input)
{
    uint8_t *data = fuzz_copy(input->data, input->size);
    LLVMFuzzerTestOneInput(data, input->size);
    free(data);
}

static void fuzz_load(struct fuzz_input *input, const struct fuzz_seed *seed)
{
    input->size = 0;
    fuzz_insert(input, 0, seed->data, seed->size);
}

/* Every seed as it is and cut off anywhere, then mutations of them. */
static void fuzz_rounds(const struct fuzz_seed *seeds, size_t count, unsigned long rounds)
{
    static struct fuzz_input input;
    uint64_t state = 42;
    for (size_t i = 0; i < count; i++)
        for (size_t size = 0; size <= seeds[i].size; size++) {
            fuzz_load(&input, &seeds[i]);
            input.size = size;
            fuzz_one(&input);
        }
    for (unsigned long round = 0; round < rounds; round++) {
        fuzz_load(&input, &seeds[fuzz_random(&state) % count]);
        for (unsigned i = fuzz_random(&state) % 8; i > 0; i--)
            fuzz_mutate(&input, &seeds[fuzz_random(&state) % count], &state);
        fuzz_one(&input);
    }
}

static int fuzz_write_seeds(const struct fuzz_seed *seeds, size_t count, const char *folder)
{
    for (size_t i = 0; i < count; i++) {
        char path[4096];
        snprintf(path, sizeof path, "%s/seed%zu", folder, i);
        FILE *file = fopen(path, "wb");
        if (!file || fwrite(seeds[i].data, 1, seeds[i].size, file) != seeds[i].size ||
            fclose(file) != 0) {
            perror(path);
            return 1;
        }
    }
    return 0;
}

/* With a folder as argument: writes the seeds there. */
#define FUZZ_MAIN(seeds)                                                                           \
    int main(int argc, char **argv)                                                                \
    {                                                                                              \
        size_t count = sizeof(seeds) / sizeof *(seeds);                                            \
        const char *rounds = getenv("FUZZ_ROUNDS");                                                \
        if (argc > 1)                                                                              \
            return fuzz_write_seeds(seeds, count, argv[1]);                                        \
        fuzz_rounds(seeds, count, rounds ? strtoul(rounds, NULL, 10) : FUZZ_ROUNDS_DEFAULT);       \
        return 0;                                                                                  \
    }

#else
#define FUZZ_MAIN(seeds)                                                                           \
    extern const struct fuzz_seed *const fuzz_seeds;                                               \
    const struct fuzz_seed *const fuzz_seeds = seeds;
#endif

#endif
