/**
 * Reading the description: references, types in words, the operations.
 * @module
 */

/** Follows a reference within the document. */
export const resolve = (api, node) => {
  if (typeof node?.$ref !== 'string') return node ?? {};
  return node.$ref
    .slice(2)
    .split('/')
    .reduce((part, name) => part[name.replaceAll('~1', '/').replaceAll('~0', '~')], api);
};

/** The type of a value, in a few words. */
export const typeOf = (api, schema) => {
  const { type, items, format, enum: words, anyOf } = resolve(api, schema);
  if ('const' in resolve(api, schema)) return JSON.stringify(resolve(api, schema).const);
  if (words !== undefined) return words.map((word) => JSON.stringify(word)).join(' or ');
  if (anyOf !== undefined) return anyOf.map((part) => typeOf(api, part)).join(' or ');
  if (type === 'array') return `list of ${items === undefined ? 'anything' : `${typeOf(api, items)}s`}`;
  return format === undefined || format === 'password' ? (type ?? 'anything') : `${type}, ${format}`;
};

/** The bounds of a value, in a few words. */
export const boundsOf = ({ minLength, maxLength, minimum, maximum, maxItems, pattern, format }) =>
  [
    format === undefined || format === 'password' ? undefined : format,
    minLength > 1 && `at least ${minLength} characters`,
    maxLength !== undefined && `at most ${maxLength} characters`,
    minimum !== undefined && `from ${minimum}`,
    maximum !== undefined && `to ${maximum}`,
    maxItems !== undefined && `at most ${maxItems} items`,
    pattern !== undefined && `matches \`${pattern}\``,
  ]
    .filter((words) => typeof words === 'string')
    .join(', ');

/** The operations of the document, in its order within the order of its tags. */
export const operationsOf = (api) => {
  const all = Object.entries(api.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ ...operation, path, method: method.toUpperCase() })),
  );
  return api.tags.map((tag) => ({ ...tag, operations: all.filter(({ tags }) => tags[0] === tag.name) }));
};

/** The codes that an operation can refuse with. */
export const codesOf = ({ responses }) =>
  Object.values(responses).flatMap(({ content }) => Object.keys(content?.['application/problem+json']?.examples ?? {}));

/** The first media type of a body or an answer, with its description. */
export const contentOf = (holder) => {
  const [entry] = Object.entries(holder?.content ?? {});
  return entry === undefined ? undefined : { mediaType: entry[0], ...entry[1] };
};
