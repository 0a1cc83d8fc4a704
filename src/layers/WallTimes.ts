/**
 * Times of the monotonic clock as people read them, and back. A time is shown as the same one however often it is asked
 * for; when the wall clock is set, all are shown by what it says then.
 *
 * @since 0.1.0
 */

/** How far the clocks may run apart before one of them was set: they are read one after the other, and one of them in whole milliseconds. */
const toleranceMillis = 20

/**
 * Creates them from both clocks, in milliseconds.
 *
 * @category constructors
 * @since 0.1.0
 */
export const makeWallTimes = (now: () => number, wallNow: () => number) => {
  let offset = wallNow() - now()
  const current = (): number => {
    const offsetNow = wallNow() - now()
    if (Math.abs(offsetNow - offset) > toleranceMillis) offset = offsetNow
    return offset
  }
  return {
    /** Whole milliseconds since 1970. */
    wall: (millis: number): number => Math.round(millis + current()),
    /** What the wall clock is ahead of the monotonic one. */
    offset: current,
    /** The first monotonic time that is shown as this one. */
    fromWall: (millis: number): number => millis - 0.5 - current()
  }
}
