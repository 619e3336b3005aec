import type { NodeTime } from '../protocol/events.js';
import type { KernelCall } from '../runtime/engine.js';

/**
 * What each node took in each query. The first query does not count: it makes memory and threads that the others find.
 *
 * @param calls - of all queries, in the order they were made
 * @param queries - how many there were, the first included
 * @returns in the order the nodes were first called
 * @throws Error when a node was not called as often in one query as in another
 */
export function nodeTimes(calls: readonly KernelCall[], queries: number): NodeTime[] {
  const byNode = new Map<string, KernelCall[]>();
  for (const call of calls) {
    const key = `${call.node} ${call.opType} ${call.provider}`;
    const known = byNode.get(key);
    if (known) known.push(call);
    else byNode.set(key, [call]);
  }
  return [...byNode.values()].flatMap((all) => {
    const [first] = all;
    if (first === undefined) return [];
    const { node, opType, provider } = first;
    const perQuery = all.length / queries;
    if (!Number.isInteger(perQuery))
      throw new Error(`the runtime ran ${node} ${all.length} times in ${queries} queries`);
    const sums = (timeOf: (call: KernelCall) => number): number[] =>
      Array.from({ length: queries - 1 }, (_, query) =>
        all
          .slice((query + 1) * perQuery, (query + 2) * perQuery)
          .reduce((sum, call) => sum + timeOf(call), 0),
      );
    const onGpu = all.some(({ gpuMilliseconds }) => gpuMilliseconds !== undefined);
    return {
      ...{ node, opType, provider, calls: perQuery },
      milliseconds: sums(({ milliseconds }) => milliseconds),
      ...(onGpu ? { gpuMilliseconds: sums(({ gpuMilliseconds }) => gpuMilliseconds ?? 0) } : {}),
    };
  });
}
