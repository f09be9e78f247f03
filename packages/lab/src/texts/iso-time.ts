/**
 * Times for people and programs.
 * @module
 */

/** As it was when the lab began: a scenario may put another clock in its place. */
const RealDate: DateConstructor = Date;

/** RFC 3339, with milliseconds. */
export const isoTime = (unixMs: number): string => new RealDate(unixMs).toISOString();
