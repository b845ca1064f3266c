/* SPDX-License-Identifier: MPL-2.0 */
/* Memory whose stores become visible late: every thread has a store buffer of one entry, which it
   reads through, and which is emptied at any time. So a load may overtake the store in front of it,
   which is what the fences of the library are for; stores stay in order, as the releases demand.

   A read-modify-write takes its place at once, but only a fence makes the loads behind it wait: so it
   is in C11 and on ARM, where on x86 it is a fence itself.

   The including model defines THREADS and CELLS, and names the cells from 0 on. */

#define NOTHING 255

byte cell[CELLS];
byte buffered_cell[THREADS] = NOTHING;
byte buffered_value[THREADS];
bool buffered_exchange[THREADS]; /* the entry is that of a read-modify-write */

/* Expression: what the thread sees in the cell. */
#define LOAD(thread, where) (buffered_cell[thread] == (where) -> buffered_value[thread] : cell[where])

#define STORED(thread) (buffered_cell[thread] == NOTHING)

/* A read-modify-write of another thread has its place, but cannot be seen yet. */
#define TAKEN(thread, where) \
    (buffered_cell[1 - (thread)] == (where) && buffered_exchange[1 - (thread)])

inline store(thread, where, value)
{
    d_step {
        STORED(thread) ->
        buffered_cell[thread] = where;
        buffered_value[thread] = value;
    }
}

/* `old` gets what was there. */
inline exchange(thread, where, value, old)
{
    d_step {
        STORED(thread) && !TAKEN(thread, where) ->
        old = cell[where];
        buffered_cell[thread] = where;
        buffered_value[thread] = value;
        buffered_exchange[thread] = true;
    }
}

inline fence(thread)
{
    STORED(thread);
}

/* The store of that thread becomes visible. */
#define EMPTY_BUFFER(thread) \
    d_step { \
        !STORED(thread) && !TAKEN(thread, buffered_cell[thread]) -> \
        cell[buffered_cell[thread]] = buffered_value[thread]; \
        buffered_cell[thread] = NOTHING; \
        buffered_value[thread] = 0; \
        buffered_exchange[thread] = false; \
    }

/* Two threads are enough for every pair of fences. */
proctype memory()
{
end:
    do
    :: EMPTY_BUFFER(0)
    :: EMPTY_BUFFER(1)
    od
}
