/**
 * A guard by hand, for requests that no honest guard sends.
 * @module
 */
import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { entryKinds, type Page } from '@catalytic/protocol/guards';
import { paths } from '@catalytic/protocol/paths';
import { type Answer, request } from './client.ts';

/** Where it asks, and as whom. */
export interface RawGuardParts {
  readonly url: string;
  readonly key: string | undefined;
  readonly audience: string;
}

/** What a poll says besides its nonce. */
export interface RawPoll {
  readonly after?: string;
  readonly guard?: string;
  readonly nonce?: string;
  readonly wait_ms?: number;
  readonly kinds?: readonly string[];
}

/** The body of a poll. */
export const pollBody = (poll: RawPoll): string =>
  JSON.stringify({ nonce: randomUUID(), wait_ms: 0, kinds: entryKinds, ...poll });

/** Sends the requests of a guard. */
export class RawGuard {
  readonly #parts: RawGuardParts;

  constructor(parts: RawGuardParts) {
    this.#parts = parts;
  }

  /** The same guard with another key, or another address. */
  with(parts: Partial<RawGuardParts>): RawGuard {
    return new RawGuard({ ...this.#parts, ...parts });
  }

  poll(poll: RawPoll = {}): Promise<Answer> {
    return this.#send('POST', paths.revocations, pollBody(poll));
  }

  /** A page. @throws Error for any other answer */
  async page(poll: RawPoll = {}): Promise<Page> {
    const { status, text, body } = await this.poll(poll);
    if (status !== 200) throw new Error(`No page: ${status} ${text}`);
    return body as unknown as Page;
  }

  /** Everything from a cursor on: all pages, the last of them at the end. */
  async pages(after?: string): Promise<readonly Page[]> {
    const pages: Page[] = [];
    for (let cursor = after; ; cursor = pages.at(-1)?.cursor) {
      const page = await this.page(cursor === undefined ? {} : { after: cursor });
      pages.push(page);
      if (!page.more) return pages;
    }
  }

  register(audience = this.#parts.audience): Promise<Answer> {
    return this.#send('POST', paths.guards, JSON.stringify({ audience, name: 'raw', kinds: entryKinds }));
  }

  /** Registers. @returns its id @throws Error when it is refused */
  async join(): Promise<string> {
    const { status, text, body } = await this.register();
    if (status !== 201) throw new Error(`Not registered: ${status} ${text}`);
    return String(body['guard']);
  }

  leave(guard: string): Promise<Answer> {
    return this.#send('DELETE', paths.guard.replace(':id', guard));
  }

  /** Loads everything, then asks as the guard again and again until it is stopped; its polls acknowledge. */
  async follow(guard: string): Promise<() => Promise<void>> {
    let { cursor } = (await this.pages()).at(-1) as Page;
    let isStopped = false;
    const asking = (async () => {
      while (!isStopped) {
        const answer = await this.poll({ guard, after: cursor, wait_ms: 500 }).catch(() => undefined);
        if (answer?.status === 200) cursor = String(answer.body['cursor']);
        else await delay(50);
      }
    })();
    return async () => {
      isStopped = true;
      await asking;
    };
  }

  #send(method: 'POST' | 'DELETE', path: string, body?: string): Promise<Answer> {
    const { url, key } = this.#parts;
    return request(`${url}${path}`, {
      method,
      headers: {
        ...(key === undefined ? {} : { authorization: `Bearer ${key}` }),
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      },
      ...(body === undefined ? {} : { body }),
    });
  }
}
