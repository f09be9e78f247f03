/**
 * Elements of the page. Text is always set as text, so no text of a server or a person can become
 * markup.
 * @module
 */

/**
 * Makes an element.
 * @param {string} kind tag name, with classes after dots: `p.note`
 * @param {Record<string, unknown>} [attributes] `on…` adds a listener; `undefined` and `false`
 *   leave an attribute out
 * @param {...(Node | string | undefined | false)} children
 */
export const make = (kind, attributes = {}, ...children) => {
  const [name, ...classes] = kind.split('.');
  const element = document.createElement(name);
  if (classes.length > 0) element.className = classes.join(' ');
  for (const [key, value] of Object.entries(attributes)) {
    if (value === undefined || value === false) continue;
    if (key.startsWith('on')) element.addEventListener(key.slice(2), value);
    else element.setAttribute(key, value === true ? '' : String(value));
  }
  element.append(...children.filter((child) => child !== undefined && child !== false));
  return element;
};

/** Text as a list of nodes; words in backticks become code. */
export const prose = (text = '') =>
  text.split('`').map((part, index) => (index % 2 === 1 ? make('code', {}, part) : part));

/** A button that copies what the function returns, and says that it has. */
export const copyButton = (read, label = 'Copy') => {
  const button = make('button.quiet', { type: 'button' }, label);
  button.addEventListener('click', async () => {
    try {
      await navigator.clipboard.writeText(read());
      button.textContent = 'Copied';
    } catch {
      // Without https a browser gives access to the clipboard only to pages of this machine.
      button.textContent = 'Not allowed here';
    }
    setTimeout(() => {
      button.textContent = label;
    }, 1500);
  });
  return button;
};

/** JSON in colours; strings that the function knows become links. */
export const highlighted = (value, linkOf = () => undefined, indent = '') => {
  const inner = `${indent}  `;
  if (value === null || typeof value !== 'object') {
    const text = JSON.stringify(value);
    const href = typeof value === 'string' ? linkOf(value) : undefined;
    const kind = typeof value === 'string' ? 'str' : 'num';
    return [href === undefined ? make(`span.${kind}`, {}, text) : make(`a.${kind}`, { href }, text)];
  }
  const isList = Array.isArray(value);
  const entries = Object.entries(value);
  if (entries.length === 0) return [isList ? '[]' : '{}'];
  const lines = entries.flatMap(([key, part], index) => [
    index === 0 ? `\n${inner}` : `,\n${inner}`,
    ...(isList ? [] : [make('span.key', {}, JSON.stringify(key)), ': ']),
    ...highlighted(part, linkOf, inner),
  ]);
  return [isList ? '[' : '{', ...lines, `\n${indent}${isList ? ']' : '}'}`];
};
