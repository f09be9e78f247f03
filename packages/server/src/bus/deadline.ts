/**
 * Deadlines: nothing waits for Redis without one.
 * @module
 */

/**
 * The value of a promise, if it comes in time.
 * @param what what is waited for, as the beginning of a sentence
 * @throws Error when it does not come within `ms` milliseconds
 */
export const within = async <Value>(ms: number, what: string, promise: Promise<Value>): Promise<Value> => {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error(`${what} took longer than ${ms} ms`)), ms);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
};
