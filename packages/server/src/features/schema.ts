/**
 * Schemas of bodies, queries and answers: each is the validation, the TypeScript type and its part
 * of the API's description. They are plain JSON Schema, so nothing has to be loaded to make them.
 * @module
 */

/** Exists in types only: what TypeScript takes a value of a schema for. */
declare const valueOfSchema: unique symbol;
/** Marks a field that may be left out. Whatever reads a schema as JSON does not see it. */
const mayBeLeftOut = Symbol('may be left out');

/** The JSON Schema of a value. */
export interface Schema<Value = unknown> {
  readonly [keyword: string]: unknown;
  readonly [valueOfSchema]?: () => Value;
}

/** The schema of a field that may be left out. */
export interface OptionalSchema<Value = unknown> extends Schema<Value> {
  readonly [mayBeLeftOut]: true;
}

/** The type of the values of a schema. */
export type Static<Of extends Schema> = Of extends Schema<infer Value> ? Value : never;

/** The fields of an object, by name. */
export type Fields = Readonly<Record<string, Schema>>;

type OptionalNames<Of extends Fields> = {
  [Name in keyof Of]: Of[Name] extends OptionalSchema ? Name : never;
}[keyof Of];

type ValueOf<Of extends Fields> = { [Name in Exclude<keyof Of, OptionalNames<Of>>]: Static<Of[Name]> } & {
  [Name in OptionalNames<Of>]?: Static<Of[Name]>;
};

/** What a schema of any type may say. */
interface Facts {
  readonly title?: string;
  readonly description?: string;
  readonly examples?: readonly unknown[];
}

interface TextFacts extends Facts {
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly pattern?: string;
  readonly format?: string;
}

interface NumberFacts extends Facts {
  readonly minimum?: number;
  readonly maximum?: number;
}

interface ListFacts extends Facts {
  readonly maxItems?: number;
}

interface ObjectFacts extends Facts {
  readonly additionalProperties?: boolean;
}

/** Makes schemas. */
export const Type = {
  String: (facts: TextFacts = {}): Schema<string> => ({ type: 'string', ...facts }),
  Integer: (facts: NumberFacts = {}): Schema<number> => ({ type: 'integer', ...facts }),
  Boolean: (facts: Facts = {}): Schema<boolean> => ({ type: 'boolean', ...facts }),
  Null: (facts: Facts = {}): Schema<null> => ({ type: 'null', ...facts }),

  /** One text and no other. */
  Literal: <const Text extends string>(text: Text, facts: Facts = {}): Schema<Text> => ({
    type: 'string',
    const: text,
    ...facts,
  }),

  /** A value of any of these. */
  Union: <Value>(parts: readonly Schema<Value>[], facts: Facts = {}): Schema<Value> => ({ anyOf: parts, ...facts }),

  Array: <Value>(items: Schema<Value>, facts: ListFacts = {}): Schema<Value[]> => ({ type: 'array', items, ...facts }),

  /** An object with fields of any name, all of one schema. */
  Record: <Value>(values: Schema<Value>, facts: Facts = {}): Schema<Record<string, Value>> => ({
    type: 'object',
    patternProperties: { '^.*$': values },
    ...facts,
  }),

  Object: <const Of extends Fields>(fields: Of, facts: ObjectFacts = {}): Schema<ValueOf<Of>> => {
    const required = Object.keys(fields).filter((name) => !(mayBeLeftOut in (fields[name] as Schema)));
    return { type: 'object', ...(required.length > 0 && { required }), properties: fields, ...facts };
  },

  /** The same for a field that may be left out. */
  Optional: <Value>(schema: Schema<Value>): OptionalSchema<Value> => ({ ...schema, [mayBeLeftOut]: true }),
};
