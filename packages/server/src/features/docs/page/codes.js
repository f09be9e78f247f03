/**
 * The section that explains every code.
 * @module
 */
import { codeAnchor } from './answer.js';
import { make } from './dom.js';
import { codesOf } from './schema.js';

/** The codes, sorted by status. Each names the operations that refuse with it, unless all do. */
export const codesSection = (codes, operations) => {
  const users = (code) => operations.filter((operation) => codesOf(operation).includes(code));
  const rows = [...codes.values()]
    .sort((a, b) => a.status - b.status)
    .map(({ code, status, title, retryable }) => {
      const own = users(code);
      const places = own.map(({ operationId, method, path }) =>
        make('a', { href: `#${operationId}` }, `${method} ${path}`),
      );
      return make(
        'div.code-row',
        { id: codeAnchor(code), tabindex: -1 },
        make('div', {}, make('code.name', {}, code), make('span.code-status', {}, String(status))),
        make(
          'div',
          {},
          make('p', {}, `${title}.`),
          make(
            'p.hint',
            {},
            retryable ? 'The same request may succeed later. ' : '',
            ...(own.length === 0 || own.length === operations.length
              ? [own.length === 0 ? 'Given where there is no such route.' : 'Given by every route.']
              : ['Given by ', ...places.flatMap((place, index) => (index === 0 ? [place] : [', ', place])), '.']),
          ),
        ),
      );
    });
  return make(
    'section.codes',
    { id: 'error-codes' },
    make('h2', {}, 'Error codes'),
    make('p.lead', {}, 'Decide by the code: it never changes its meaning. Titles are for people, and may be reworded.'),
    ...rows,
  );
};
