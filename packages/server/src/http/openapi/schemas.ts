/**
 * From the schemas that validate and serialise to those of an OpenAPI 3.1 document. Both are JSON
 * Schema, so they are copied, not translated.
 * @module
 */
import type { Schema } from '../../features/schema.ts';
import type { Json } from './refusals.ts';

const isObject = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null;

/** Schemas with a title, by that name: the document holds each once, and refers to it. */
export class NamedSchemas {
  readonly #schemas = new Map<string, unknown>();

  /**
   * Copies a schema; each part of it that is an object with a title becomes a reference.
   * @throws Error when two schemas have one title
   */
  add(schema: Schema): unknown {
    return this.#replaced(JSON.parse(JSON.stringify(schema)));
  }

  /** All that were found, sorted. */
  all(): Json {
    return Object.fromEntries([...this.#schemas].sort(([a], [b]) => (a < b ? -1 : 1)));
  }

  #replaced(node: unknown): unknown {
    if (Array.isArray(node)) return node.map((part) => this.#replaced(part));
    if (!isObject(node)) return node;
    const copy = Object.fromEntries(Object.entries(node).map(([name, part]) => [name, this.#replaced(part)]));
    const { title, type } = node;
    if (typeof title !== 'string' || type !== 'object') return copy;
    const known = this.#schemas.get(title);
    if (known !== undefined && JSON.stringify(known) !== JSON.stringify(copy))
      throw new Error(`Cannot describe the API: two schemas have the title ${title}; give one of them another`);
    this.#schemas.set(title, copy);
    return { $ref: `#/components/schemas/${title}` };
  }
}

/** An example made of the examples of its parts; `undefined` where a required part has none. */
export const exampleOf = (schema: unknown): unknown => {
  if (!isObject(schema)) return undefined;
  const { examples, properties, items, required, anyOf } = schema;
  if (Array.isArray(examples)) return examples[0];
  if ('const' in schema) return schema['const'];
  if (Array.isArray(anyOf)) return exampleOf(anyOf[0]);
  if (isObject(items)) {
    const item = exampleOf(items);
    return item === undefined ? undefined : [item];
  }
  if (!isObject(properties)) return undefined;
  const entries = Object.entries(properties).map(([name, part]) => [name, exampleOf(part)] as const);
  const needed = Array.isArray(required) ? required : [];
  if (entries.some(([name, value]) => value === undefined && needed.includes(name))) return undefined;
  return Object.fromEntries(entries.filter(([, value]) => value !== undefined));
};
