/**
 * Libraries that speak OAuth 2.0, as their users call them. Each finds the endpoints in the metadata of the issuer.
 * @module
 */
import * as oauth from 'oauth4webapi';
import * as openid from 'openid-client';
import { clientIdOf } from './oauth.ts';

/** A library that is set up for an issuer. */
export interface OauthLibrary {
  readonly name: string;
  /** Introspects with a key as the client. @returns the account of an active token; `undefined`: it is inactive */
  readonly introspect: (token: string) => Promise<string | undefined>;
  /** Revokes without a secret. */
  readonly revoke: (token: string) => Promise<void>;
}

/** The client that has no secret. */
const publicClient = 'catalytic';

const subjectOf = ({ active, sub }: oauth.IntrospectionResponse): string | undefined => (active ? sub : undefined);

const withOauth4webapi = async (
  issuer: URL,
  key: string,
  [method, authentication]: readonly [string, (secret: string) => oauth.ClientAuth],
): Promise<OauthLibrary> => {
  // The tests speak plain HTTP.
  const insecure = { [oauth.allowInsecureRequests]: true };
  const found = await oauth.discoveryRequest(issuer, { algorithm: 'oauth2', ...insecure });
  const server = await oauth.processDiscoveryResponse(issuer, found);
  const client = { client_id: clientIdOf(key) };
  return {
    name: `oauth4webapi, ${method}`,
    introspect: async (token) => {
      const response = await oauth.introspectionRequest(server, client, authentication(key), token, insecure);
      return subjectOf(await oauth.processIntrospectionResponse(server, client, response));
    },
    revoke: async (token) =>
      oauth.processRevocationResponse(
        await oauth.revocationRequest(server, { client_id: publicClient }, oauth.None(), token, insecure),
      ),
  };
};

const withOpenidClient = async (issuer: URL, key: string): Promise<OauthLibrary> => {
  const discover = (id: string, authentication: openid.ClientAuth): Promise<openid.Configuration> =>
    openid.discovery(issuer, id, undefined, authentication, {
      algorithm: 'oauth2',
      execute: [openid.allowInsecureRequests],
    });
  const resource = await discover(clientIdOf(key), openid.ClientSecretBasic(key));
  const holder = await discover(publicClient, openid.None());
  return {
    name: 'openid-client',
    introspect: async (token) => subjectOf(await openid.tokenIntrospection(resource, token)),
    revoke: (token) => openid.tokenRevocation(holder, token),
  };
};

/** The libraries, set up. @param key a guard key */
export const oauthLibraries = async (url: string, key: string): Promise<readonly OauthLibrary[]> =>
  Promise.all([
    withOauth4webapi(new URL(url), key, ['client_secret_basic', oauth.ClientSecretBasic]),
    withOauth4webapi(new URL(url), key, ['client_secret_post', oauth.ClientSecretPost]),
    withOpenidClient(new URL(url), key),
  ]);
