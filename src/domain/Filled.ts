/**
 * Arrays that have all of their room from the beginning.
 *
 * @since 0.1.0
 */

/**
 * Returns an array that has a value so many times.
 *
 * **Details**
 *
 * Of `Array.from` the engine does not know how long the array will be: it makes room for it again and again, and calls a
 * function for each element. For a million elements that was 100 ms in which a control plane did nothing else, and a third of
 * what it took to accept a million tasks.
 *
 * @category constructors
 * @since 0.1.0
 */
// oxlint-disable-next-line unicorn/no-new-array
export const filled = <A>(length: number, value: A): Array<A> => new Array<A>(length).fill(value)
