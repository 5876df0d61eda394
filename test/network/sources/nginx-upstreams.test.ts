import { nginxUpstreams } from '../../../functions/guardrails/network/sources/nginx-upstreams';

/** `host:port` of each upstream. */
const read = (text: string) => nginxUpstreams(text).map(({ host, port }) => `${host}:${port}`);

const FULL = `
user nginx; # the user; server evil:1;
events { worker_connections 1024; }
http {
  server_tokens off;
  upstream api {
    least_conn;
    zone api 64k;
    server api-0.api:9000 max_fails=3 weight=5;
    server "api-1.api:9000" backup;
    server 10.0.0.7;
    keepalive 16;
  }
  map $http_upgrade $connection_upgrade { default upgrade; '' close; }
  server {
    listen 80;
    server_name shop.example.com www.example.com:80;
    location ~ ^/[a-z]{2,3}/ { proxy_pass http://api; }
    location ~ \\.php$ { include fastcgi_params; fastcgi_pass php:9000; }
    location /log { return 200 "server quoted:1; }"; }
  }
}
stream {
  upstream db { server db.data.svc.cluster.local:5432; }
  server { listen 5432; proxy_pass db; }
  server { listen 6379; proxy_pass redis:6379; }
}
`;

test('a configuration with all of it', () => {
  expect(read(FULL)).toEqual([
    'api-0.api:9000',
    'api-1.api:9000',
    '10.0.0.7:80',
    'php:9000',
    'db.data.svc.cluster.local:5432',
    'redis:6379',
  ]);
});

test.each([
  [
    'the file of an upstream with the name of its Service',
    'upstream api { server api:9000; }\nserver { location / { proxy_pass http://api; } }\n',
    ['api:9000'],
  ],
  [
    'the file of an upstream with another name',
    'upstream backend { server api:9000; }\nserver { location / { proxy_pass http://backend; } }\n',
    ['api:9000'],
  ],
  ['no spaces', 'upstream a{server b:1;server c:2;}', ['b:1', 'c:2']],
  ['lines of Windows and tabs', 'upstream a\r\n{\r\n\tserver\tb:1\r\n;\r\n}\r\n', ['b:1']],
  ['single quotes', "upstream 'a' { 'server' 'b:1'; }", ['b:1']],
  ['escaped quotes', String.raw`upstream a { server "b\":1"; server c:2; }`, ['c:2']],
  ['an upstream after its use', 'server { fastcgi_pass a; } upstream a { server b:1; }', ['b:1']],
  ['after a nested block', 'upstream a { lua { x 1; } server b:1; }', ['b:1']],
  ['IPv6', 'upstream a { server [::1]:8080; server [2001:db8::7]; }', ['[::1]:8080', '[2001:db8::7]:80']],
])('upstreams: %s', (_, text, upstreams) => {
  expect(read(text)).toEqual(upstreams);
});

test.each([
  ['a socket', 'upstream a { server unix:/run/a.sock; } server { fastcgi_pass unix:/run/php.sock; }'],
  [
    'a variable',
    'upstream a { server $host:80; server ${host}:80; } server { proxy_pass $target; uwsgi_pass ${a}:1; }',
  ],
  ['a comment', 'upstream a {\n# server b:1;\n}\n#upstream c { server d:1; }'],
  ['a server block', 'server { server_name a:1; listen b:1; } http { server c:1; }'],
  ['after an upstream', 'upstream a { } server b:1;'],
  ['in a block within it', 'upstream a { x { server b:1; } }'],
  ['text in quotes', 'log_format x "upstream a { server b:1; }"; return \'} upstream a { server c:1; }\';'],
  [
    'URLs, which are read elsewhere',
    'server { proxy_pass http://a:1; grpc_pass grpc://b:2; uwsgi_pass uwsgi://c:3; }',
  ],
  ['a pass without a port, which names an upstream', 'server { fastcgi_pass php; proxy_pass db; }'],
  [
    'ports that are none',
    'upstream a { server b:0; server c:65536; server d:123456; server e:http; server f:1-2; }',
  ],
  ['a directive that is not complete', 'upstream a { server b:1'],
  ['other languages', '{"upstream": "a", "server": ["b:1"]}\nserver: c:1\n'],
])('no upstreams: %s', (_, text) => {
  expect(read(text)).toEqual([]);
});

test.each(['proxy_pass', 'fastcgi_pass', 'grpc_pass', 'uwsgi_pass', 'scgi_pass', 'memcached_pass'])(
  '%s with a host and a port',
  (name) => {
    expect(read(`location / { ${name} app.shop:9000; }`)).toEqual(['app.shop:9000']);
    expect(read(`location / { ${name} [::1]:9000; }`)).toEqual(['[::1]:9000']);
    expect(read(`location / { ${name}_x app:9000; }`)).toEqual([]);
  },
);

test.each([
  ['words', 'server '],
  ['directives', 'server a:1; '],
  ['blocks', 'upstream a { '],
  ['closing braces', '} '],
  ['quotes', '" \' '],
  ['escaped quotes', '\\" "\\" '],
  ['comments', '# '],
  ['a word', 'a$'],
  ['digits', '1'],
  ['spaces', ' '],
])('a megabyte of %s takes no time', (_, part) => {
  const text = `upstream a { server ${part.repeat(1_000_000 / part.length)}`;
  const start = performance.now();
  nginxUpstreams(text);
  expect(performance.now() - start).toBeLessThan(500);
});
