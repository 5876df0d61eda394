import { build } from './build';
import { check } from './check';
import { runCommands } from './command-line';
import { exemptions } from './exemptions';
import { fix } from './fix';
import { graph } from './graph';
import { render } from './render';

void runCommands([check, fix, build, render, graph, exemptions]);
