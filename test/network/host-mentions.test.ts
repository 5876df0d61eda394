// The hosts that a text names, in every form in which a process is given one.
import { hostMentions, urlsIn } from '../../functions/guardrails/network/sources/host-mentions';

test.each<[string, string[]]>([
  ['http://api', ['url api 80']],
  ['https://api.example.com:8443/v1?x=1', ['url api.example.com 8443']],
  ['HTTPS://API.example.com', ['url API.example.com 443']],
  ['postgres://user:p@ss@db:5433/x', ['url db 5433']],
  ['postgresql+asyncpg://u:p@db/x', ['url db 5432']],
  ['jdbc:postgresql://db:5432/app', ['url db 5432']],
  ['mongodb://a:27017,b:27018/x?replicaSet=r', ['url a 27017', 'url b 27018']],
  ['mongodb+srv://cluster.example.net', ['url cluster.example.net 27017']],
  ['kafka://k1:9092,kafka://k2', ['url k1 9092', 'url k2 9092']],
  ['whatever://srv', ['url srv']],
  ['http://[fd00::1]:8080/x', ['url [fd00::1] 8080']],
  ['{"url": "http://api:8080", "n": 1}', ['url api 8080']],
  ["curl -s http://api/x && wget 'http://b:81'", ['url api 80', 'url b 81']],
  ['dns:///srv:50051', ['host:port srv 50051 whole']],
  ['dns://8.8.8.8/srv:50051', ['host:port srv 50051 whole']],
  ['passthrough:///srv:50051', ['host:port srv 50051 whole']],
  ['redis:6379', ['host:port redis 6379 whole']],
  ['k1:9092, k2:9092', ['host:port k1 9092 whole', 'host:port k2 9092 whole']],
  ['redis', ['host redis whole']],
  ['10.0.0.5:5432', ['host:port 10.0.0.5 5432 whole']],
  ['["redis:6379"]', ['host:port redis 6379']],
  ['--to=redis:6379/0', ['host:port redis 6379']],
  ['host=db port=5433 user=x', ['url db 5433']],
  ['user=x host=db', ['url db 5432']],
  // Not hosts.
  ['s3://bucket/key', []],
  ['file:///etc/x', []],
  ['unix:///var/run/x.sock', []],
  ['sqlite:///x.db', []],
  ['spiffe://trust.domain/x', []],
  ['/var/run/x.sock', []],
  ['', []],
  ['two words', []],
  ['http://$HOST:80', []],
  ['http://${HOST}', []],
])('%s', (text, expected) => {
  expect(
    hostMentions(text)
      .map(({ host, port, form, isWhole }) =>
        [form, host, port ?? '', isWhole && form !== 'url' ? 'whole' : '']
          .join(' ')
          .trim()
          .replace('  ', ' '),
      )
      .sort(),
  ).toEqual([...expected].sort());
});

test.each<[string, string[]]>([
  ['upstream = "http://api:8080/"', ['api 8080']],
  ['server api:9000;', []],
])('of a file: %s', (text, expected) => {
  expect(urlsIn(text).map(({ host, port }) => `${host} ${port}`)).toEqual(expected);
});
