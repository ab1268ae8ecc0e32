#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
#
# genflow.js has types: those in its comments hold, js/*.d.ts are made of them, a program in TypeScript that
# uses all of it compiles, and one that uses it wrongly does not. npm installs it from the tree.

use strict;
use warnings;

use File::Temp qw(tempdir);
use FindBin;
use lib "$FindBin::Bin/../lib";
use Test::More;

use Genflow::Site ();

my $tsc = 't/js/node_modules/.bin/tsc';
plan skip_all => 'TypeScript is not installed: support/check --js' if !-x $tsc || system('node --version >/dev/null 2>&1') != 0;

my $folder = tempdir(CLEANUP => 1);
is output("t/js/types $folder"), '', 'the types in the comments hold';
is output("diff -u $_ $folder/" . (split m{/}, $_)[-1]), '', "$_ is up to date (t/js/types)" for glob 'js/*.d.ts';
is join(' ', map { (split m{/}, $_)[-1] } sort glob "$folder/*.d.ts"), join(' ', map { (split m{/}, $_)[-1] } sort glob 'js/*.d.ts'),
    '... and there is no other';

mkdir "$folder/program" or die "$folder: $!\n";
write_file('package.json', '{ "name": "program", "version": "1.0.0", "private": true, "type": "module" }');
is output("cd $folder/program && npm install --silent --offline --no-audit --no-fund --install-links '$ENV{GENFLOW_WORK}/js'"), '',
    'npm installs it from the tree'
    if system('npm --version >/dev/null 2>&1') == 0;
SKIP: {
    -d "$folder/program/node_modules/mod-genflow" or skip 'npm is not installed', 3;
    write_file('right.ts', <<'END');
import { Genflow, GenflowError, type Generation } from 'mod-genflow';
import { names } from 'mod-genflow/legacy';

const genflow = new Genflow({ base: '/api', refresh: async () => {}, headers: () => ({ Authorization: 'Bearer x' }) });
export async function all(file: Blob, stop: AbortSignal): Promise<string | null> {
    const made: Generation = await genflow.generate({ type: 'sketch', prompt: 'a cat', source: file, n: 2, seed: 7 },
        { signal: stop, onUpdate: (generation) => generation.progress?.toFixed(), wait: 60, async: true });
    for await (const one of genflow.history({ favourite: true, q: 'cat' })) if (one.batch) return one.imageUrl;
    const page = await genflow.history().page(null);
    const close = genflow.events({ on: ({ event, data, id }) => [event, data, id], signal: stop });
    try {
        await genflow.retry(made.id);
        await genflow.fallback(made.id);
        await genflow.update((await genflow.cancel(made.id)).id, { tags: ['sea'], favourite: true, title: null });
        await genflow.request('GET', 'credits', { query: { limit: 1 }, signal: stop });
        await names(genflow, ['sketch'], new Genflow({ base: '/.netlify/functions' }))['sketch-generate']({ prompt: 'a cat' });
        await genflow.upload(file, { maxBytes: 1, onSize: ({ bytes, width }) => [bytes, width] });
    } catch (error) {
        if (error instanceof GenflowError) return `${error.code} ${error.retryAfter} ${error.shortfall} ${error.validationErrors[0].field}`;
    }
    close();
    return page.nextCursor;
}
END
    my $options = '--strict --noEmit --target es2023 --module nodenext --lib es2023,dom,dom.iterable --types ""';
    my $compile = "cd $folder/program && $ENV{GENFLOW_WORK}/$tsc $options";
    is output("$compile right.ts"), '', 'a program that uses it compiles';
    write_file('wrong.ts', <<'END');
import { Genflow } from 'mod-genflow';

new Genflow({});
new Genflow({ base: '/api' }).generate({ prompt: 'no type' });
new Genflow({ base: '/api' }).update('id', { stars: 3 });
END
    is_deeply [output("$compile wrong.ts") =~ /^wrong\.ts\((\d+),/mg], [3, 4, 5], 'one that uses it wrongly does not';
    is output("cd $folder/program && node --input-type=module -e 'import { Genflow } from \"mod-genflow\"; console.log(typeof Genflow)'"),
        "function\n", 'node imports it by its name';
}

done_testing;

sub output {
    my ($command) = @_;
    return scalar qx{($command) 2>&1};
}

sub write_file { return Genflow::Site::write_text("$folder/program/$_[0]", $_[1]) }

