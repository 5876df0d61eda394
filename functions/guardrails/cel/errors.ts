/** An expression that is not CEL. */
export class CelSyntaxError extends Error {}

/** What the API server reports as an error of an evaluation, such as `no such key: labels`. */
export class CelError extends Error {}

/** An evaluation that needs what only a cluster knows, or a function that is not supported here. */
export class CelUnknown extends Error {}
