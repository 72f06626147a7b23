import type { FastifyInstance, FastifyRequest } from 'fastify';
import FindMyWay from 'find-my-way';
import { sendError } from '@ptn-api/runtime';

declare module 'fastify' {
  interface FastifyRequest {
    /** What was asked for with a method that it has not got. */
    refusedRoute: string | null;
  }
}

interface Path {
  readonly url: string;
  /** In the order in which their routes were added. */
  readonly methods: string[];
}

/** Of CORS, which answers preflights whatever path they ask for. */
const ANY_PATH = '*';

/**
 * The paths of an app, whatever method: a path answers 405 to the methods that it has not got, before the body or a key is
 * read. A route for each method of each path would do the same, and take a third of the time in which an app is made.
 */
export class Paths {
  readonly #app: FastifyInstance;
  readonly #byUrl = new Map<string, Path>();
  /** Of all paths under one method, so that it is the path alone that decides. */
  readonly #router: ReturnType<typeof FindMyWay>;

  /** Knows the routes that are added from now on. */
  constructor(app: FastifyInstance, maxParamLength: number) {
    this.#app = app;
    this.#router = FindMyWay({ maxParamLength, querystringParser: () => ({}) });
    app.decorateRequest('refusedRoute', null);
    app.addHook('onRoute', ({ url, method }) => {
      // A route of OPTIONS is there for CORS alone.
      if (url !== ANY_PATH && method !== 'OPTIONS') this.#add(url, [method].flat());
    });
  }

  /** From the hooks on that were added before. */
  refuseOtherMethods(): void {
    this.#app.addHook('onRequest', (request, reply, done) => {
      const path = mayBeRefused(request) ? this.#find(request.url) : undefined;
      if (path === undefined || path.methods.includes(request.method)) {
        done();
        return;
      }
      request.refusedRoute = path.url;
      sendError(reply.header('Allow', path.methods.join(', ')), 'PTN_ERR_HTTP_METHOD');
    });
  }

  #add(url: string, methods: readonly string[]): void {
    const known = this.#byUrl.get(url);
    if (known !== undefined) {
      known.methods.push(...methods);
      return;
    }
    const path: Path = { url, methods: [...methods] };
    this.#byUrl.set(url, path);
    this.#router.on('GET', url, () => undefined, path);
  }

  #find(url: string): Path | undefined {
    return this.#router.find('GET', url)?.store as Path | undefined;
  }
}

/** What has a route of its own, without parameters, is answered: no other path comes before it. */
function mayBeRefused(request: FastifyRequest): boolean {
  return request.is404 || request.routeOptions.url?.includes(':') === true;
}

/** The route that a request is about as it was added, also where its method is refused; `undefined` where there is none. */
export function routePattern(request: FastifyRequest): string | undefined {
  return request.refusedRoute ?? request.routeOptions.url;
}
