export * from './counted.ts';
export * from './errors.ts';
export * from './position.ts';
export * from './printable.ts';
export * from './rest.ts';
export * from './stream.ts';
export * from './tier.ts';
