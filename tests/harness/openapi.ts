/**
 * The service's OpenAPI description, as a client reads it.
 * @module
 */
import { get } from './client.ts';

/** The description of an answer or a body. */
export interface DescribedContent {
  readonly headers?: Readonly<Record<string, unknown>>;
  readonly content?: Readonly<
    Record<
      string,
      { readonly schema?: unknown; readonly example?: unknown; readonly examples?: Readonly<Record<string, unknown>> }
    >
  >;
}

/** The description of an operation. */
export interface DescribedOperation {
  readonly operationId: string;
  readonly tags: readonly string[];
  readonly summary: string;
  readonly security: readonly Readonly<Record<string, readonly string[]>>[];
  readonly parameters?: readonly { readonly name: string; readonly in: string; readonly description?: string }[];
  readonly requestBody?: DescribedContent;
  readonly responses: Readonly<Record<string, DescribedContent>>;
}

/** The parts of the document that tests read. */
export interface ApiDocument {
  readonly openapi: string;
  readonly info: { readonly description: string };
  readonly servers: readonly { readonly url: string }[];
  readonly paths: Readonly<Record<string, Readonly<Record<string, DescribedOperation>>>>;
  readonly components: {
    readonly schemas: Readonly<
      Record<
        string,
        { readonly properties?: Readonly<Record<string, { readonly description?: string; readonly $ref?: string }>> }
      >
    >;
    readonly examples: Readonly<Record<string, { readonly value: Readonly<Record<string, unknown>> }>>;
    readonly securitySchemes: Readonly<Record<string, Readonly<Record<string, string>>>>;
  };
}

/** Reads the document of a listener. */
export const readApi = async (url: string): Promise<ApiDocument> => {
  const { status, text, body } = await get(`${url}/openapi.json`);
  if (status !== 200) throw new Error(`No description: ${status} ${text}`);
  return body as unknown as ApiDocument;
};

/** Its operations by method and path: `POST /auth/login`. */
export const operationsOf = ({ paths }: ApiDocument): ReadonlyMap<string, DescribedOperation> =>
  new Map(
    Object.entries(paths).flatMap(([path, methods]) =>
      Object.entries(methods).map(([method, operation]) => [`${method.toUpperCase()} ${path}`, operation] as const),
    ),
  );

/** The codes that an operation says it answers with this status. */
export const codesOf = ({ responses }: DescribedOperation, status: number): readonly string[] =>
  Object.values(responses[status]?.content ?? {}).flatMap(({ examples = {} }) => Object.keys(examples));

/** The example of a body or an answer. */
export const exampleOf = (described: DescribedContent | undefined): unknown =>
  described?.content?.['application/json']?.example;
