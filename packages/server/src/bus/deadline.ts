/**
 * Deadlines: no call waits for Redis without one.
 * @module
 */

/**
 * The value of a promise, if it settles in time.
 * @param what the operation, as the beginning of a sentence
 * @throws Error when it takes longer than `ms` milliseconds
 */
export const within = async <Value>(ms: number, what: string, promise: Promise<Value>): Promise<Value> => {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    // Waits one more turn of the event loop: in a process that was starved or paused, the answer
    // may have arrived already.
    timer = setTimeout(() => setImmediate(() => reject(new Error(`${what} took longer than ${ms} ms`))), ms);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
};
