import type { Caller } from './access/caller.js';
import { answerCompare, answerHistory, answerProcure } from './answers/analyses.js';
import { answerAudit, answerDevices, answerModels, answerSession } from './answers/catalogue.js';
import type { Json, Kept } from './answers/kept.js';
import { answerCancel, answerDrain, answerQueue, answerSubmit } from './answers/queue.js';
import {
  answerAnalysis,
  answerEnvironment,
  answerReport,
  answerRun,
  answerRuns,
  answerSamples,
} from './answers/runs.js';
import type { Answer, Question, RouteName } from './api/routes.js';
import type { Serving } from './serving.js';

/** Answers one kind of question. */
type Endpoint<Name extends RouteName> = (
  serving: Serving,
  question: Question<Name>,
  caller: Caller,
) => Promise<Answer<Name> | Kept | Json>;

/** Who answers what; the stream of events is the server's own. */
export const endpoints: { readonly [Name in Exclude<RouteName, 'events'>]: Endpoint<Name> } = {
  ...{
    session: answerSession,
    runs: answerRuns,
    run: answerRun,
    analysis: answerAnalysis,
    report: answerReport,
  },
  ...{ samples: answerSamples, environment: answerEnvironment, compare: answerCompare },
  ...{ history: answerHistory, models: answerModels, devices: answerDevices, queue: answerQueue },
  ...{ submit: answerSubmit, cancel: answerCancel, drain: answerDrain, procure: answerProcure },
  audit: answerAudit,
};
