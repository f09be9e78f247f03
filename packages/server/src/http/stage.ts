/**
 * A stage of the HTTP pipeline: its name, the codes it refuses with, and how it is mounted.
 * `pipeline.ts` lists all of them in order.
 * @module
 */
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { ErrorCode } from '@catalytic/protocol/errors';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Route } from '../features/route.ts';

/** The description of a stage. */
export interface Stage {
  readonly name: string;
  /**
   * Codes with which the stage may refuse a request for this route; absent: the stage refuses
   * nothing.
   */
  readonly refuses?: (route: Route) => readonly ErrorCode[];
}

/**
 * A stage that acts on connections, before there is a request.
 * @typeParam Parts what the stage works with
 */
export interface ConnectionStage<Parts> extends Stage {
  readonly mount: (server: Server, parts: Parts) => void;
}

/**
 * Sees a request before the framework does. Returns whether the request ends here: then nothing
 * further sees it.
 */
export type RequestStep = (request: IncomingMessage, response: ServerResponse) => boolean;

/** A stage that sees every request before the framework, whatever its route. */
export interface RequestStage<Parts> extends Stage {
  /** @returns `undefined` where this server has no use for the stage */
  readonly mount: (server: Server, parts: Parts) => RequestStep | undefined;
}

/**
 * Judges a request for a known route. Refuses by throwing; returns a promise only where it has to
 * wait.
 */
export type RouteStep = (request: FastifyRequest, reply: FastifyReply) => void | Promise<void>;

/** A stage that judges the requests of each route. */
export interface RouteStage<Parts> extends Stage {
  readonly mount: (parts: Parts, route: Route) => RouteStep;
}
