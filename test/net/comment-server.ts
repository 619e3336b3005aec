import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { json } from 'node:stream/consumers';

/** A request that was made. */
export interface Asked {
  readonly method: string;
  readonly url: string;
  readonly token: string | undefined;
}

/** A host of comments. */
export interface CommentHost {
  /** Where its REST API is. */
  readonly api: string;
  readonly comments: { id: number; body: string }[];
  readonly asked: Asked[];
  close(): Promise<void>;
}

/**
 * Serves the comments of one request as GitHub and GitLab do: in pages, edited by PATCH on a path of the repository or by PUT on one below
 * the list, for one token alone.
 *
 * @param paths - of the list, and what stands before a comment's number
 * @param edit - the method
 * @param token - that is expected, as its header holds it
 */
export async function serveComments(
  paths: { readonly list: string; readonly one: string },
  edit: string,
  token: { readonly header: string; readonly value: string },
): Promise<CommentHost> {
  const comments: { id: number; body: string }[] = [];
  const asked: Asked[] = [];
  const answer = async (request: IncomingMessage): Promise<[status: number, value: unknown]> => {
    const url = new URL(request.url!, 'http://localhost');
    const given = request.headers[token.header];
    asked.push({ method: request.method!, url: request.url!, token: String(given) });
    if (given !== token.value) return [403, { message: 'Resource not accessible by integration' }];
    const body = request.method === 'GET' ? {} : await json(request);
    if (url.pathname === paths.list && request.method === 'GET') {
      const [size, page] = ['per_page', 'page'].map((name) => Number(url.searchParams.get(name)));
      return [200, comments.slice((page! - 1) * size!, page! * size!)];
    }
    if (url.pathname === paths.list && request.method === 'POST') {
      const comment = { id: 1000 + comments.length, body: (body as { body: string }).body };
      comments.push(comment);
      return [201, comment];
    }
    const own = comments.find(({ id }) => url.pathname === `${paths.one}${id}`);
    if (own === undefined || request.method !== edit) return [404, { message: 'Not Found' }];
    own.body = (body as { body: string }).body;
    return [200, own];
  };
  const server = createServer((request, response) => {
    void answer(request).then(([status, value]) => {
      response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(value));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    api: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    ...{ comments, asked },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
