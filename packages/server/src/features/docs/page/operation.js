/**
 * One operation: its description on the left, a form to try it on the right.
 * @module
 */
import { answerOf, bodyOf, codeAnchor } from './answer.js';
import { copyButton, make, prose } from './dom.js';
import { fill, formOf } from './form.js';
import { curlOf, requestOf, send, shownCurl } from './request.js';
import { boundsOf, codesOf, contentOf, resolve, typeOf } from './schema.js';
import { hold, onSession, session } from './session.js';

const accessWords = {
  accessToken: () => 'Needs an access token',
  adminKey: ([scope]) => `Needs an admin key with ${scope}`,
  client: () => 'Takes a key as the client',
};

const accessOf = ({ security }) => {
  const [entry] = Object.entries(security?.[0] ?? {});
  return entry === undefined ? 'Public' : (accessWords[entry[0]]?.(entry[1]) ?? entry[0]);
};

const fieldList = (api, schema) => {
  const { properties = {}, required = [] } = resolve(api, schema);
  return make(
    'ul.field-list',
    {},
    ...Object.entries(properties).map(([name, unresolved]) => {
      const part = resolve(api, unresolved);
      const nested = part.properties !== undefined ? part : resolve(api, part.items);
      const bounds = boundsOf(part);
      return make(
        'li',
        {},
        make('code.name', {}, name),
        make('span.type', {}, typeOf(api, part)),
        !required.includes(name) && make('span.type', {}, 'optional'),
        part.description && make('p', {}, ...prose(part.description)),
        bounds !== '' && make('p.hint', {}, ...prose(bounds)),
        nested.properties !== undefined && make('details', {}, make('summary', {}, 'Fields'), fieldList(api, nested)),
      );
    }),
  );
};

const successes = (api, { responses }) =>
  Object.entries(responses)
    .filter(([status]) => status.startsWith('2'))
    .map(([status, response]) => {
      const content = contentOf(response);
      const fields = resolve(api, content?.schema).properties;
      return make(
        'details.result',
        {},
        make('summary', {}, make('strong.status.good', {}, status), ` ${response.description}`),
        fields === undefined ? make('p.hint', {}, content?.mediaType ?? '') : fieldList(api, content.schema),
      );
    });

/** The anchor of the form: on a phone the form is below the description. */
export const tryAnchor = ({ operationId }) => `try-${operationId}`;

const codeLink = (code) => make('a.code-link', { href: `#${codeAnchor(code)}` }, code);

const refusals = (operation, codes, common) => {
  const all = codesOf(operation);
  const chips = (wanted) => {
    const groups = Map.groupBy(wanted, (code) => codes.get(code).status);
    return [...groups]
      .sort(([a], [b]) => a - b)
      .map(([status, own]) => make('p.chips', {}, make('span.code-status', {}, String(status)), ...own.map(codeLink)));
  };
  const own = all.filter((code) => !common.has(code));
  const shared = all.filter((code) => common.has(code));
  return make(
    'div.refusals',
    {},
    make('h4', {}, 'Refusals'),
    ...chips(own),
    make('details', {}, make('summary', {}, `${shared.length} that any route can give`), ...chips(shared)),
  );
};

/**
 * Notes on what the page has done with an answer that it understands, and on the next operation to
 * try.
 */
const notesOf = ({ status, text }, used, next) => {
  let body;
  try {
    body = JSON.parse(text);
  } catch {
    return [];
  }
  const link =
    next === undefined
      ? []
      : [' Next: ', make('a', { href: `#${tryAnchor(next)}` }, `${next.method} ${next.path}`), '.'];
  if (status < 300 && typeof body?.access_token === 'string') {
    hold({ access: body.access_token, ...(body.refresh_token === undefined ? {} : { refresh: body.refresh_token }) });
    if (typeof body.refresh_token === 'string') fill('refresh_token', body.refresh_token);
    fill('token', body.access_token);
    return [
      make(
        'p.note.done',
        {},
        'This access token is used from now on, and kept in the memory of this page only.',
        ...link,
      ),
    ];
  }
  if (status < 300 && body?.revoked === true) {
    if (used === session().access) hold({ isRevoked: true });
    return [make('p.note.done', {}, 'Signed out. The token stays here so that you can see it refused.', ...link)];
  }
  if (body?.code === 'token_revoked' && used === session().access) hold({ isRevoked: true });
  return [];
};

const exampleAnswer = (operation) => {
  const [status, response] = Object.entries(operation.responses)[0] ?? [];
  const example = contentOf(response)?.example;
  if (example === undefined) return make('div.answer');
  return make(
    'div.answer',
    {},
    make('div.panel-head', {}, make('span', {}, `Answer ${status}, an example`)),
    bodyOf(example, () => undefined),
  );
};

const tryOut = (api, operation, codes, next) => {
  const form = formOf(api, operation);
  const bearer = () => {
    if (form.scheme === undefined) return '';
    return form.scheme === 'adminKey' ? session().adminKey : session().access;
  };
  const request = () => requestOf(operation, form.read(), bearer());
  const command = make('code');
  const showCommand = () => {
    command.textContent = shownCurl(request());
  };
  const result = make('div', { 'aria-live': 'polite' }, exampleAnswer(operation));
  const button = make('button.send', { type: 'submit', title: 'Ctrl+Enter' }, 'Send');
  const panel = make(
    'form.try',
    { id: tryAnchor(operation), novalidate: true, 'aria-label': `Try ${operation.method} ${operation.path}` },
    make(
      'div.panel-head',
      {},
      make(`span.method.${operation.method}`, {}, operation.method),
      make('code.path', {}, operation.path),
      button,
    ),
    form.element.childElementCount > 0 && form.element,
    make(
      'div.panel-head',
      {},
      make('span', {}, 'curl'),
      copyButton(() => curlOf(request())),
    ),
    make('pre.command', { tabindex: 0 }, command),
    result,
  );
  panel.addEventListener('input', showCommand);
  panel.addEventListener('focusin', showCommand);
  panel.addEventListener('keydown', (event) => {
    if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) panel.requestSubmit();
  });
  panel.addEventListener('submit', async (event) => {
    event.preventDefault();
    const sent = request();
    const used = bearer();
    button.disabled = true;
    button.textContent = 'Sending';
    const answer = await send(sent);
    button.disabled = false;
    button.textContent = 'Send';
    result.replaceChildren(answerOf(answer, codes, notesOf(answer, used, next)));
  });
  onSession(showCommand);
  return panel;
};

/**
 * The section of an operation.
 * @param codes the error table, by code
 * @param common codes that every operation can give
 * @param next the operation to try with a token
 */
export const operationSection = (api, operation, codes, common, next) => {
  const { operationId, summary, description, method, path, parameters = [], requestBody } = operation;
  const content = contentOf(requestBody);
  const body = resolve(api, content?.schema);
  return make(
    'section.operation',
    { id: operationId, tabindex: -1, 'aria-labelledby': `${operationId}-title` },
    make(
      'div.about',
      {},
      make('h3', { id: `${operationId}-title` }, summary),
      make(
        'p.route',
        {},
        make(`span.method.${method}`, {}, method),
        make('code', {}, path),
        make('span.access', {}, accessOf(operation)),
      ),
      description && make('p', {}, ...prose(description)),
      parameters.length > 0 && make('h4', {}, 'Parameters'),
      parameters.length > 0 &&
        fieldList(api, {
          properties: Object.fromEntries(
            parameters.map((part) => [part.name, { ...part.schema, description: part.description }]),
          ),
          required: parameters.filter((part) => part.required).map((part) => part.name),
        }),
      content !== undefined && make('h4', {}, 'Body'),
      content !== undefined &&
        (body.properties === undefined ? make('p.hint', {}, content.mediaType) : fieldList(api, content.schema)),
      make('h4', {}, 'Answers'),
      ...successes(api, operation),
      refusals(operation, codes, common),
    ),
    tryOut(api, operation, codes, next),
  );
};
