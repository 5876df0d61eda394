export type * from './nodes';
export * from './parse';
export * from './value';
