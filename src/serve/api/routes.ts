import type { z } from 'zod';
import { analysis, environment, report, run, runs, samples } from './runs.js';
import { compare, history, procure } from './analyses.js';
import { audit } from './audit.js';
import { devices, models } from './catalogue.js';
import { events } from './events.js';
import { cancel, drain, queue, submit } from './queue.js';
import { session } from './session.js';

/** Every endpoint of the API. */
export const routes = {
  ...{ session, runs, run, analysis, report, samples, environment, compare, history, models, devices },
  ...{ queue, submit, cancel, drain, procure, audit, events },
} as const;

export type RouteName = keyof typeof routes;

type Part<Name extends RouteName, Key extends string> = (typeof routes)[Name] extends {
  readonly [K in Key]: infer Schema extends z.ZodType;
}
  ? z.output<Schema>
  : undefined;

/** What an endpoint answers with. */
export type Answer<Name extends RouteName> = Part<Name, 'response'>;

/** What an endpoint is asked, after it was checked. */
export interface Question<Name extends RouteName> {
  readonly params: Part<Name, 'params'>;
  readonly query: Part<Name, 'query'>;
  readonly body: Part<Name, 'body'>;
}
