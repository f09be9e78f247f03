/**
 * How clients find out who gives out tokens for an API: OAuth 2.0 Protected Resource Metadata
 * (RFC 9728).
 * @module
 */
import type { Refusal } from './refusals.ts';

/** What an API says of itself besides. */
export interface ResourceDetails {
  /** Scopes that requests may need. */
  readonly scopes?: readonly string[];
  /** Its name, for people. */
  readonly name?: string;
  /** URL of a page for developers. */
  readonly documentation?: string;
}

/** The metadata of an API, and where clients look for it. */
export interface ProtectedResource {
  /** Path at which the API serves the document, without asking for a token (RFC 9728 section 3.1). */
  readonly path: string;
  /** The same as a URL, as the challenge of a 401 names it (RFC 9728 section 5.1). */
  readonly url: string;
  /** The document, to be served as JSON (RFC 9728 section 2). */
  readonly document: Readonly<Record<string, string | readonly string[]>>;
}

/** Where the metadata of a resource is: the well-known part comes before the path of the resource. */
export const metadataUrlOf = (resource: string): URL => {
  const url = new URL(resource);
  url.pathname = `/.well-known/oauth-protected-resource${url.pathname.replace(/\/$/, '')}`;
  return url;
};

/** The metadata of a resource whose tokens the issuer gives out. */
export const protectedResource = (
  resource: string,
  issuer: string,
  { scopes, name, documentation }: ResourceDetails,
): ProtectedResource => {
  const { pathname, href } = metadataUrlOf(resource);
  return {
    path: pathname,
    url: href,
    document: {
      resource,
      authorization_servers: [issuer],
      bearer_methods_supported: ['header'],
      ...(scopes !== undefined && { scopes_supported: scopes }),
      ...(name !== undefined && { resource_name: name }),
      ...(documentation !== undefined && { resource_documentation: documentation }),
    },
  };
};

/** Lets the challenge of a 401 name the metadata. Other refusals stay as they are. */
export const pointToMetadata = (refusal: Refusal, url: string): Refusal => {
  const { status, headers } = refusal;
  const challenge = headers['www-authenticate'];
  if (status !== 401 || challenge === undefined) return refusal;
  return { ...refusal, headers: { ...headers, 'www-authenticate': `${challenge}, resource_metadata="${url}"` } };
};
