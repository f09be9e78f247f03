/**
 * Rules of the pages: which form of an answer a client prefers.
 * @module
 */

interface Range {
  readonly name: string;
  readonly quality: number;
}

/**
 * Reads the ranges of an `Accept` header. A quality that is no number counts as 0: the client did
 * not ask for that range in any clear way.
 */
const rangesOf = (accept: string): readonly Range[] =>
  accept.split(',').map((range) => {
    const [name = '', ...parameters] = range.split(';').map((part) => part.trim().toLowerCase());
    const quality = Number(parameters.find((parameter) => parameter.startsWith('q='))?.slice(2) ?? 1);
    return { name, quality: Number.isNaN(quality) ? 0 : quality };
  });

/** How much a client wants a media type, by the most specific range that matches it. */
const qualityOf = (ranges: readonly Range[], type: string): number =>
  [type, `${type.split('/')[0]}/*`, '*/*']
    .map((wanted) => ranges.find(({ name }) => name === wanted)?.quality)
    .find((quality) => quality !== undefined) ?? 0;

/**
 * Whether a client prefers JSON to a page (RFC 9110 section 12.5.1). Without a preference it gets
 * the page.
 * @param accept the header as it was sent
 */
export const prefersJson = (accept: string | undefined): boolean => {
  const ranges = rangesOf(accept ?? '*/*');
  return qualityOf(ranges, 'application/json') > qualityOf(ranges, 'text/html');
};
