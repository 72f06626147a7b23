/** Hooks of the module loader: the order log gets its engine from a module that can make its calls fail. */
import type { ResolveHook } from 'node:module';

export const resolve: ResolveHook = (specifier, context, next) => {
  if (specifier === 'lmdb' && context.parentURL?.includes('/order-log/dist/') === true) {
    return { url: new URL('./fault-random-lmdb.js', import.meta.url).href, shortCircuit: true };
  }
  return next(specifier, context);
};
