/**
 * Asks the service about one token: always right, at the price of one request for each.
 * @module
 */
import type { AccessTokenClaims } from '@catalytic/protocol/claims';
import { paths } from '@catalytic/protocol/paths';
import { parseCompactForm, parseSegment } from './compact-form.ts';
import { readClaims } from './read-claims.ts';
import { isTokenCode, type RefusalCode } from './refusals.ts';

/** How the service is asked. */
export interface AskParts {
  /** URL of the service, without a slash at its end. */
  readonly url: string;
  /** Longest time for an answer, its body included, milliseconds. */
  readonly timeoutMs: number;
  readonly fetch: typeof fetch;
  /** Called with the reason when no verdict is to be had. */
  readonly onProblem: (reason: string) => void;
}

/** Longest answer that is read, bytes: one to a verify has a few hundred. */
const answerBytesMax = 65_536;

const readBody = async ({ body }: Response): Promise<Readonly<Record<string, unknown>>> => {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of body ?? []) {
    bytes += chunk.length;
    if (bytes > answerBytesMax) throw new Error('the answer is too long to be one of Catalytic');
    chunks.push(chunk);
  }
  const value: unknown = JSON.parse(Buffer.concat(chunks).toString('utf8'));
  if (typeof value !== 'object' || value === null) throw new Error('the answer is not one of Catalytic');
  return value as Readonly<Record<string, unknown>>;
};

/**
 * Asks about a token. Each request asks by itself: a shared or remembered answer could be older than the sign-out.
 * @returns the claims of an accepted token, or the code of the refusal; never rejects
 */
export const ask = async (parts: AskParts, token: string): Promise<AccessTokenClaims | RefusalCode> => {
  const form = parseCompactForm(token);
  if (form === undefined) return 'token_malformed';
  try {
    const answer = await parts.fetch(`${parts.url}${paths.verify}`, {
      headers: { authorization: `Bearer ${token}` },
      signal: AbortSignal.timeout(parts.timeoutMs),
      // A token is not sent on to wherever an answer points.
      redirect: 'manual',
      cache: 'no-store',
    });
    const body = answer.status === 200 || answer.status === 401 ? await readBody(answer) : undefined;
    if (answer.status === 401 && isTokenCode(body?.['code'])) return body['code'];
    // The service has checked the signature of what it accepts.
    const payload = answer.status === 200 ? parseSegment(form.payload) : undefined;
    const claims = payload === undefined ? undefined : readClaims(payload);
    // A cache in between might answer with the verdict on another token.
    if (body?.['active'] === true && claims !== undefined && body['jti'] === claims.jti) return claims;
    if (body === undefined) await answer.body?.cancel();
    parts.onProblem(
      `${parts.url} answered ${answer.status}${answer.status === 503 ? '' : ', and not as Catalytic does'}`,
    );
  } catch (error) {
    const { message, cause } = error as Error;
    parts.onProblem(
      `${parts.url} did not answer: ${cause instanceof Error ? cause.message || String(cause) : message}`,
    );
  }
  return 'verdict_unavailable';
};
