/**
 * A Node process through its inspector (https://nodejs.org/api/debugger.html, Chrome DevTools Protocol), to see its heap without garbage.
 * @module
 */

/** Longest wait for an answer: a forced collection of a big heap takes its time. */
const answerMsMax = 30_000;

/** A connection to the inspector of a process. */
export interface Inspector extends Disposable {
  /** Collects garbage, then says what the heap of the main thread holds, bytes. */
  usedHeapAfterCollection(): Promise<number>;
}

/** The address that a process started with `--inspect` has printed. @throws Error when it has not */
export const inspectorAddress = (output: string): string => {
  const address = /Debugger listening on (ws:\/\/127\.0\.0\.1:\S+)/.exec(output)?.[1];
  if (address === undefined) throw new Error(`The service has opened no inspector:\n${output.slice(-400)}`);
  return address;
};

/** Connects. */
export const openInspector = async (address: string): Promise<Inspector> => {
  const socket = new WebSocket(address);
  await new Promise<void>((resolve, reject) => {
    socket.addEventListener('open', () => resolve(), { once: true });
    socket.addEventListener('error', () => reject(new Error(`Cannot connect to the inspector at ${address}`)), {
      once: true,
    });
  });
  let lastId = 0;
  const ask = (method: string): Promise<Readonly<Record<string, unknown>>> => {
    const id = ++lastId;
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error(`The inspector does not answer ${method}`)), answerMsMax);
      const hear = ({ data }: MessageEvent): void => {
        const answer = JSON.parse(String(data)) as { id?: number; result?: Record<string, unknown>; error?: unknown };
        if (answer.id !== id) return;
        clearTimeout(timer);
        socket.removeEventListener('message', hear);
        if (answer.result === undefined) reject(new Error(`The inspector refuses ${method}`));
        else resolve(answer.result);
      };
      socket.addEventListener('message', hear);
      socket.send(JSON.stringify({ id, method }));
    });
  };
  return {
    usedHeapAfterCollection: async () => {
      await ask('HeapProfiler.collectGarbage');
      return Number((await ask('Runtime.getHeapUsage'))['usedSize']);
    },
    [Symbol.dispose]: () => socket.close(),
  };
};
