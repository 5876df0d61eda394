// Rules of dependency-cruiser (`npm run lint`) on who may import whom in functions/guardrails.

/** From the top: each may import those after it, and itself. */
const ROOMS = [
  'main.ts',
  'cli/',
  'run.ts',
  'formats/',
  'pipeline.ts',
  'config/',
  'policies/',
  'rules/',
  'cel/',
  'network/',
  'kustomize/',
  'kubernetes/',
  'findings/',
  'krm/',
  'yaml/',
];
/** Everyone may import these; they import none of the rooms. */
const LEAVES = ['errors.ts', 'message.ts', 'interruption.ts', 'leftovers.ts'];

const pathsOf = (rooms) => rooms.map((room) => `^functions/guardrails/${room.replace('.', '\\.')}`);

export default {
  forbidden: [
    {
      name: 'no-cycle',
      comment: 'Files do not import each other in a circle: move what both need to a file below both.',
      severity: 'error',
      from: {},
      to: { circular: true },
    },
    {
      name: 'in-a-room',
      comment: 'Every file belongs to a room or is a leaf: name it in .dependency-cruiser.mjs.',
      severity: 'error',
      from: { path: '^functions/guardrails/', pathNot: pathsOf([...ROOMS, ...LEAVES]) },
      to: {},
    },
    {
      name: 'leaves-import-no-room',
      comment: `${LEAVES.join(', ')} import none of the rooms.`,
      severity: 'error',
      from: { path: pathsOf(LEAVES) },
      to: { path: pathsOf(ROOMS) },
    },
    ...ROOMS.slice(1).map((room, i) => ({
      name: `${room}-imports-downwards`,
      comment: `${room} imports none of ${ROOMS.slice(0, i + 1).join(', ')}, which are above it.`,
      severity: 'error',
      from: { path: pathsOf([room]) },
      to: { path: pathsOf(ROOMS.slice(0, i + 1)) },
    })),
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsConfig: { fileName: 'tsconfig.json' },
    // An import of a type alone counts, too.
    tsPreCompilationDeps: true,
  },
};
