"""The official Python client against a running API: client.py HOST:PORT grpc|rest"""

import sys

import grpc
from google.api_core import exceptions
from google.auth.credentials import AnonymousCredentials
from google.cloud import tasks_v2
from google.cloud.tasks_v2.services.cloud_tasks.transports import (
    CloudTasksGrpcTransport,
    CloudTasksRestTransport,
)
from google.protobuf import duration_pb2, field_mask_pb2, timestamp_pb2

ADDRESS, TRANSPORT = sys.argv[1:]
PARENT = f"projects/python-{TRANSPORT}/locations/local"
QUEUE = f"{PARENT}/queues/q"
URL = "http://worker.mare.internal/tasks/a"
NO_QUEUE = (
    "Queue does not exist. If you just created the queue, wait at least a minute for the queue to initialize."
)

# Over REST only the HTTP status is known, and these are the exceptions for it; those of gRPC are kinds of them.
ALREADY_EXISTS, INVALID_ARGUMENT = exceptions.Conflict, exceptions.BadRequest


def connect():
    if TRANSPORT == "grpc":
        transport = CloudTasksGrpcTransport(channel=grpc.insecure_channel(ADDRESS))
    else:
        transport = CloudTasksRestTransport(host=ADDRESS, url_scheme="http", credentials=AnonymousCredentials())
    return tasks_v2.CloudTasksClient(transport=transport)


client = connect()


def refused(kind, message, call, **request):
    try:
        call(request=request)
    except kind as error:
        assert message in error.message, error.message
        return error
    raise AssertionError(f"{call} was not refused")


def queues():
    limits = tasks_v2.RateLimits(max_dispatches_per_second=5, max_concurrent_dispatches=7)
    retry = tasks_v2.RetryConfig(max_attempts=3, min_backoff=duration_pb2.Duration(nanos=500_000_000))
    queue = tasks_v2.Queue(name=QUEUE, rate_limits=limits, retry_config=retry)
    created = client.create_queue(parent=PARENT, queue=queue)
    assert created.rate_limits.max_burst_size == 10, created
    assert created.retry_config.min_backoff.total_seconds() == 0.5
    assert created.state == tasks_v2.Queue.State.RUNNING
    assert client.get_queue(name=QUEUE) == created
    refused(ALREADY_EXISTS, "Queue already exists", client.create_queue, parent=PARENT, queue=queue)

    queue.rate_limits.max_dispatches_per_second = 9
    queue.retry_config.max_attempts = 99
    mask = field_mask_pb2.FieldMask(paths=["rate_limits.max_dispatches_per_second"])
    updated = client.update_queue(queue=queue, update_mask=mask)
    assert (updated.rate_limits.max_dispatches_per_second, updated.retry_config.max_attempts) == (9, 3)
    other = client.update_queue(queue=tasks_v2.Queue(name=f"{PARENT}/queues/other"))
    assert other.rate_limits.max_dispatches_per_second == 500, "an update creates what is absent"

    assert client.pause_queue(name=QUEUE).state == tasks_v2.Queue.State.PAUSED
    pages = client.list_queues(request={"parent": PARENT, "page_size": 1})
    assert [queue.name for queue in pages] == [other.name, QUEUE]
    paused = client.list_queues(request={"parent": PARENT, "filter": "state: PAUSED"})
    assert [queue.name for queue in paused] == [QUEUE]
    assert client.resume_queue(name=QUEUE).state == tasks_v2.Queue.State.RUNNING
    client.delete_queue(name=other.name)
    refused(exceptions.NotFound, NO_QUEUE, client.get_queue, name=other.name)
    refused(exceptions.NotFound, "Requested entity was not found.", client.delete_queue, name=other.name)


def task(id=None, **fields):
    request = tasks_v2.HttpRequest(
        url=URL,
        http_method=tasks_v2.HttpMethod.PUT,
        headers={"X-Custom": "Kept", "X-Mare-Priority": "5"},
        body=b"\x00hi",
        oidc_token=tasks_v2.OidcToken(service_account_email="a@b"),
    )
    name = f"{QUEUE}/tasks/{id}" if id else ""
    return tasks_v2.Task(name=name, http_request=request, **fields)


def tasks():
    client.pause_queue(name=QUEUE)
    later = timestamp_pb2.Timestamp()
    later.FromJsonString("2020-01-01T00:00:00Z")
    deadline = duration_pb2.Duration(seconds=20)
    created = client.create_task(parent=QUEUE, task=task("t", schedule_time=later, dispatch_deadline=deadline))
    assert (created.name, created.view) == (f"{QUEUE}/tasks/t", tasks_v2.Task.View.BASIC)
    assert created.dispatch_deadline.total_seconds() == 20
    assert created.create_time.year > 2020 and created.schedule_time.year > 2020, "past is now"
    assert created.http_request.body == b""
    assert dict(created.http_request.headers) == {
        "X-Custom": "Kept",
        "X-Mare-Priority": "5",
        "User-Agent": "Google-Cloud-Tasks",
    }
    assert created.http_request.oidc_token.service_account_email == "a@b"
    full = client.get_task(request={"name": created.name, "response_view": tasks_v2.Task.View.FULL})
    assert (full.http_request.body, full.view) == (b"\x00hi", tasks_v2.Task.View.FULL)
    assert full.http_request.http_method == tasks_v2.HttpMethod.PUT
    duplicate = "Requested entity already exists"
    refused(ALREADY_EXISTS, duplicate, client.create_task, parent=QUEUE, task=task("t"))

    ours = client.create_task(request={"parent": QUEUE, "task": task(), "response_view": tasks_v2.Task.View.FULL})
    assert ours.http_request.body == b"\x00hi"
    listed = client.list_tasks(request={"parent": QUEUE, "page_size": 1})
    assert sorted(task.name for task in listed) == sorted([created.name, ours.name])
    ran = client.run_task(name=ours.name)
    assert ran.dispatch_count == 1 and ran.first_attempt.dispatch_time.year > 2020, ran

    client.delete_task(name=created.name)
    refused(exceptions.NotFound, "The task no longer exists", client.get_task, name=created.name)
    refused(ALREADY_EXISTS, duplicate, client.create_task, parent=QUEUE, task=task("t"))
    purged = client.purge_queue(name=QUEUE)
    assert purged.purge_time.year > 2020
    assert list(client.list_tasks(parent=QUEUE)) == []


def batches():
    requests = [tasks_v2.CreateTaskRequest(parent=QUEUE, task=task(id)) for id in ("b1", "a.b", "b2")]
    operation = client.batch_create_tasks(request={"parent": QUEUE, "requests": requests})
    assert [task.name for task in operation.result(timeout=10).tasks] == [f"{QUEUE}/tasks/b1", f"{QUEUE}/tasks/b2"]
    failed = operation.metadata.failed_requests
    assert list(failed) == [1] and 'Task ID "a.b"' in failed[1].message
    names = [f"{QUEUE}/tasks/{id}" for id in ("b1", "b2")]
    client.batch_delete_tasks(request={"parent": QUEUE, "names": names}).result(timeout=10)
    assert list(client.list_tasks(parent=QUEUE)) == []


def errors():
    bad = refused(
        INVALID_ARGUMENT,
        'Task ID "a.b" can contain only letters',
        client.create_task,
        parent=QUEUE,
        task=task("a.b"),
    )
    help = bad.details[0]
    link = help["links"][0]["description"] if TRANSPORT == "rest" else help.links[0].description
    assert link == "Definition of task ID", help
    absent = f"{PARENT}/queues/nobody"
    refused(exceptions.NotFound, NO_QUEUE, client.create_task, parent=absent, task=tasks_v2.Task(http_request={"url": URL}))
    elsewhere = tasks_v2.Task(http_request={"url": "https://evil.example/"})
    refused(INVALID_ARGUMENT, "is not allowed as a target", client.create_task, parent=QUEUE, task=elsewhere)
    refused(exceptions.MethodNotImplemented, "", client.get_iam_policy, resource=QUEUE)
    locations = client.list_locations(request={"name": PARENT.rsplit("/locations", 1)[0]})
    assert [location.name for location in locations.locations] == [PARENT]


for step in (queues, tasks, batches, errors):
    step()
    print(step.__name__, "done")
client.delete_queue(name=QUEUE)
