/**
 * Forms made from the schemas of an operation.
 * @module
 */
import { make } from './dom.js';
import { contentOf, resolve, typeOf } from './schema.js';
import { hold, onSession } from './session.js';

/** Typed values by name of the field: an email address is typed once for all forms. */
const typed = new Map();
const inputs = new Map();

const share = (name, input) => {
  const same = inputs.get(name) ?? [];
  inputs.set(name, [...same, input]);
  input.addEventListener('input', () => {
    typed.set(name, input.value);
    for (const other of inputs.get(name)) if (other !== input) other.value = input.value;
  });
};

/** Fills a field in every form. */
export const fill = (name, value) => {
  typed.set(name, value);
  for (const input of inputs.get(name) ?? []) input.value = value;
};

const choices = (schema) => {
  if (schema.enum !== undefined) return schema.enum;
  if (schema.type === 'boolean') return [true, false];
  return schema.anyOf?.every((part) => 'const' in part) ? schema.anyOf.map((part) => part.const) : undefined;
};

/**
 * The example of an id or a token is shown as a placeholder: a request with it would only be
 * refused.
 */
const isMadeByService = (name) => /(^|_)(token|id)$/.test(name);

const inputKind = (name, { type, format }) => {
  if (format === 'password') return { type: 'password' };
  if (type === 'integer' || type === 'number') return { type: 'number', inputmode: 'numeric' };
  return name === 'email' ? { type: 'text', inputmode: 'email' } : { type: 'text' };
};

const controlOf = (id, name, schema) => {
  const words = choices(schema);
  const common = { id, name, autocomplete: 'off', spellcheck: 'false', autocapitalize: 'off' };
  if (words !== undefined)
    return make(
      'select',
      common,
      make('option', { value: '' }, '–'),
      ...words.map((word) => make('option', {}, String(word))),
    );
  const example = schema.examples?.[0];
  const text = example === undefined ? '' : typeof example === 'string' ? example : JSON.stringify(example);
  if (schema.type === 'array' || schema.type === 'object' || schema.properties !== undefined)
    return make('textarea', { ...common, rows: 3, placeholder: text || 'JSON' });
  return make('input', { ...common, ...inputKind(name, schema), placeholder: text });
};

/** A body with these values, in the media type of the operation. */
const written = ({ mediaType }, values) =>
  mediaType === 'application/x-www-form-urlencoded' ? new URLSearchParams(values).toString() : JSON.stringify(values);

const parsedValue = (schema, text) => {
  if (schema.type === 'integer' || schema.type === 'number') return Number(text);
  const word = choices(schema)?.find((choice) => String(choice) === text);
  if (word !== undefined) return word;
  if (schema.type === 'string' || schema.type === undefined) return text;
  try {
    return JSON.parse(text);
  } catch {
    // It is sent unchanged: the service says why it refuses it.
    return text;
  }
};

/** One labelled field. */
const fieldOf = (api, operation, name, unresolved, isRequired) => {
  const schema = resolve(api, unresolved);
  const id = `${operation.operationId}-${name}`;
  const control = controlOf(id, name, schema);
  const example = schema.examples?.[0];
  if (isRequired && typeof example === 'string' && !isMadeByService(name) && !typed.has(name)) typed.set(name, example);
  control.value = typed.get(name) ?? '';
  share(name, control);
  const reveal =
    schema.format === 'password' &&
    make(
      'button.quiet.reveal',
      {
        type: 'button',
        'aria-label': 'Show the password',
        onclick: ({ currentTarget }) => {
          control.type = control.type === 'password' ? 'text' : 'password';
          currentTarget.textContent = control.type === 'password' ? 'Show' : 'Hide';
        },
      },
      'Show',
    );
  const label = make(
    'label',
    { for: id },
    name,
    make('small', {}, `${typeOf(api, schema)}${isRequired ? '' : ', optional'}`),
  );
  return {
    name,
    element: make('div.field', {}, label, make('div.control', {}, control, reveal)),
    // An empty field is left out: the service says which fields it requires.
    read: () => (control.value === '' ? undefined : parsedValue(schema, control.value)),
  };
};

const bearerField = (operation, scheme) => {
  const key = scheme === 'adminKey' ? 'adminKey' : 'access';
  const id = `${operation.operationId}-bearer`;
  const control = make('input', {
    id,
    type: 'password',
    autocomplete: 'off',
    spellcheck: 'false',
    placeholder: key === 'access' ? 'Sign in, or paste one' : 'Paste an admin key',
    oninput: () => hold({ [key]: control.value.trim() }),
  });
  onSession((held) => {
    if (control.value !== held[key]) control.value = held[key];
  });
  const label = make(
    'label',
    { for: id },
    key === 'access' ? 'Access token' : 'Admin key',
    make('small', {}, 'Authorization: Bearer'),
  );
  return make('div.field', {}, label, make('div.control', {}, control));
};

const gathered = (fields) =>
  Object.fromEntries(fields.map(({ name, read }) => [name, read()]).filter(([, value]) => value !== undefined));

/**
 * The form of an operation.
 * @returns its element, and a function that reads it: parts of the path, query, body as text, media
 *   type of the body
 */
export const formOf = (api, operation) => {
  const content = contentOf(operation.requestBody);
  const body = resolve(api, content?.schema);
  const parameters = (operation.parameters ?? []).map((parameter) => ({
    place: parameter.in,
    ...fieldOf(
      api,
      operation,
      parameter.name,
      { ...parameter.schema, description: parameter.description },
      parameter.required,
    ),
  }));
  const fields = Object.entries(body.properties ?? {}).map(([name, schema]) =>
    fieldOf(api, operation, name, schema, body.required?.includes(name) ?? false),
  );
  const text =
    content !== undefined && body.properties === undefined
      ? make('textarea', {
          rows: 4,
          'aria-label': `Body, ${content.mediaType}`,
          placeholder: content.mediaType,
          spellcheck: 'false',
        })
      : undefined;
  // A client of OAuth authenticates in the fields of its form.
  const scheme = Object.keys(operation.security?.[0] ?? {}).find((name) => name !== 'client');
  const element = make(
    'div.fields',
    {},
    scheme !== undefined && bearerField(operation, scheme),
    ...parameters.map((field) => field.element),
    ...fields.map((field) => field.element),
    text,
  );
  const placed = (place) => gathered(parameters.filter((field) => field.place === place));
  return {
    element,
    scheme,
    read: () => ({
      path: placed('path'),
      query: placed('query'),
      body: text === undefined ? content && written(content, gathered(fields)) : text.value,
      mediaType: content?.mediaType,
    }),
  };
};
