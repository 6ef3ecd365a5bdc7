"""Makes each call of the official client of FlexMeasures as a user who may, and as one who may not, and prints the answers as a
table in Markdown. The argument is the address of an energy service with the demo world, whose ids are in `ID`.
"""

import asyncio
import inspect
import re
import sys
import tempfile
import warnings

from flexmeasures_client import FlexMeasuresClient

warnings.simplefilter("ignore")

PASSWORD = "energy-demo"
USERS = {"Adam": "adam@sunnyside.example", "Mia": "mia@sunnyside.example", "Sven": "sven@bakery.example"}
# The farm is Adam's and Mia's, the oven is Sven's.
ID = {"farm": 3, "roof": 1, "battery": 2, "oven": 3, "power": 1, "of the oven": 4}
START = "2020-01-01T00:00:00+01:00"
SERIES = {"start": START, "duration": "PT1H"}

# They call nothing but others of these, or nothing at all.
INDIRECT = {
    "close",
    "ensure_minimum_server_version",
    "get_access_token",
    "get_headers",
    "request",
    "request_once",
    "trigger_and_await_report",
    "trigger_and_get_forecast",
    "trigger_and_get_schedule",
    "wait_for_job",
}

rows = []
called = set()


async def answer(call, show):
    try:
        return show(await call)
    except ValueError as error:
        status = re.search(r"status code (\d+): (.*)", str(error), re.DOTALL)
        if not status:
            raise
        return f"{status[1]}: {status[2]}"
    except ConnectionError as error:
        status = re.search(r"communicating with the API: (\d+)", str(error))
        if not status:
            raise
        return status[1]


async def row(text, allowed, who, denied, show=lambda _: "done"):
    """The answers to a call; the first is Adam's. `show` says what the answer is."""
    called.add(text.split("(")[0])
    rows.append((f"`{text}`", await answer(allowed, show), f"{who}: {await answer(denied, show)}" if denied else who))


def equals(expected):
    def show(seen):
        assert seen == expected, f"{seen} is not {expected}"
        return "done"

    return show


def names(list):
    return ", ".join(each["name"] for each in list) or "none"


async def main(address):
    def client(name, password=PASSWORD):
        return FlexMeasuresClient(email=USERS[name], password=password, host=address)

    adam, mia, sven = client("Adam"), client("Mia"), client("Sven")
    stranger = client("Adam", "wrong password")
    everyone = [adam, mia, sven, stranger]

    # Log-in, versions and users.
    await row("get_versions()", stranger.get_versions(), "open to everyone", None, lambda seen: seen["server_version"])
    wrong = "Adam, with a wrong password"
    await row("get_user()", adam.get_user(), wrong, stranger.get_user(), lambda seen: seen["username"])
    await row("get_account()", adam.get_account(), wrong, stranger.get_account(), lambda seen: seen["name"])
    adam.access_token = "revoked"
    types = lambda seen: f"{len(seen)} types"
    await row("get_asset_types()", adam.get_asset_types(), wrong, stranger.get_asset_types(), types)

    # Assets.
    await row("get_asset(1)", adam.get_asset(ID["roof"]), "Sven", sven.get_asset(ID["roof"]), lambda seen: seen["name"])
    await row("get_assets()", adam.get_assets(), "Sven", sven.get_assets(), names)
    await row(
        "get_assets(all_accessible=True, include_public=True)",
        adam.get_assets(all_accessible=True, include_public=True),
        "Sven",
        sven.get_assets(all_accessible=True, include_public=True),
        names,
    )
    await row("get_assets(account_id=3)", adam.get_assets(account_id=3), "Sven", sven.get_assets(account_id=3), names)
    await row(
        "get_assets(root=1, depth=1, fields=['name'])",
        adam.get_assets(root=ID["roof"], depth=1, fields=["name"]),
        "Sven",
        sven.get_assets(root=ID["roof"], depth=1, fields=["name"]),
        equals([{"name": "Solar roof"}]),
    )
    place = {"latitude": 52.4, "longitude": 4.9, "generic_asset_type_id": 5}
    asset = {"name": "New battery", "account_id": ID["farm"], **place}
    await row("add_asset(…)", adam.add_asset(**asset), "Sven", sven.add_asset(**asset))
    for text, documents in [
        ("flex_context={'consumption-price': {'sensor': …}}", lambda id: {"flex_context": {"consumption-price": {"sensor": id}}}),
        ("flex_model={'soc-max': {'sensor': …}}", lambda id: {"flex_model": {"soc-max": {"sensor": id}}}),
        ("sensors_to_show=[…]", lambda id: {"sensors_to_show": [id]}),
        ("attributes={…}, parent_asset_id=…", lambda id: {"attributes": {"a": 1}, "parent_asset_id": ID["roof"] if id == 1 else ID["oven"]}),
    ]:
        allowed, denied = (
            adam.add_asset(**asset, **documents(ID[sensor])) for sensor in ["power", "of the oven"]
        )
        await row(f"add_asset(…, {text})", allowed, "Adam, with what is the oven's", denied)
    [new] = [each for each in await adam.get_assets(parse_json_fields=True) if each["attributes"] == {"a": 1}]
    assert new["parent_asset_id"] == ID["roof"] and new["flex_model"] == {}, new
    changes = {"name": "Newer battery", "attributes": {"b": 2}, "flex_context": {"site-power-capacity": "1 kW"}}
    await row(
        "update_asset(…)",
        adam.update_asset(new["id"], changes, parse_json_fields=True),
        "Sven",
        sven.update_asset(new["id"], changes),
        lambda seen: equals(changes)({key: seen[key] for key in changes}),
    )
    await row(
        "update_asset(…, {'flex_model': {'sensor': …}})",
        adam.update_asset(new["id"], {"flex_model": {"sensor": ID["power"]}}),
        "Adam, with the oven's sensor",
        adam.update_asset(new["id"], {"flex_model": {"sensor": ID["of the oven"]}}),
    )

    # Sensors.
    await row("get_sensor(1)", adam.get_sensor(ID["power"]), "Sven", sven.get_sensor(ID["power"]), lambda seen: seen["event_resolution"])
    await row("get_sensors()", adam.get_sensors(), "Sven", sven.get_sensors(), names)
    await row(
        "get_sensors(asset_id=2)", adam.get_sensors(ID["battery"]), "Sven", sven.get_sensors(ID["battery"]), names
    )
    sensor = {
        "name": "New power",
        "event_resolution": "PT15M",
        "unit": "kW",
        "generic_asset_id": new["id"],
        "timezone": "Europe/Amsterdam",
        "attributes": {"a": 1},
    }
    shown = lambda seen: f"{seen['unit']}, {seen['event_resolution']}, {seen['timezone']}, {seen['attributes']}"
    await row("add_sensor(…)", adam.add_sensor(**sensor), "Sven", sven.add_sensor(**sensor), shown)
    [power] = await adam.get_sensors(new["id"], parse_json_fields=True)
    assert power["generic_asset_id"] == new["id"] and power["attributes"] == {"a": 1}, power
    id = power["id"]
    change = {"name": "Newer power", "attributes": {"b": 2}}
    await row(
        "update_sensor(…)",
        adam.update_sensor(id, change, parse_json_fields=True),
        "Mia",
        mia.update_sensor(id, change),
        lambda seen: equals(change)({key: seen[key] for key in change}),
    )

    # Data.
    series = {**SERIES, "values": [1000, 2000, 3000, 4000], "unit": "W"}
    await row(
        "post_sensor_data(…, start, duration, values, unit, prior)",
        adam.post_sensor_data(id, **series, prior="2020-01-01T02:00:00+01:00"),
        "Sven",
        sven.post_sensor_data(id, **series),
        lambda seen: seen[0]["message"],
    )
    later = {**series, "start": "2020-01-02T00:00:00+01:00"}
    await row("post_measurements(…)", adam.post_measurements(id, **later), "Sven", sven.post_measurements(id, **later))
    wanted = {**SERIES, "unit": "kW", "resolution": "PT30M"}
    await row(
        "get_sensor_data(…)",
        adam.get_sensor_data(id, **wanted),
        "Sven",
        sven.get_sensor_data(id, **wanted),
        equals({"values": [1.5, 3.5], "start": "2019-12-31T23:00:00Z", "duration": "PT1H", "unit": "kW"}),
    )
    with tempfile.NamedTemporaryFile(suffix=".csv") as file:
        for who in ["Adam", "Sven"]:
            try:
                await {"Adam": adam, "Sven": sven}[who].post_sensor_data(id, file_path=file.name)
            except ValueError as error:
                status, message = re.search(r"code (\d+): .*'message': '([^']*)'", str(error)).groups()
                rows.append((f"{status}: {message}", who))
    (denied, _), (allowed, _) = rows.pop(), rows.pop()
    rows.append(("`post_sensor_data(…, file_path)`", allowed, f"Sven: {denied}"))
    await row(
        "delete_sensor_data(…, start, until)",
        adam.delete_sensor_data(id, False, start=START, until="2020-01-01T00:30:00+01:00"),
        "Mia",
        mia.delete_sensor_data(id, False),
    )
    left = await adam.get_sensor_data(id, **{**wanted, "resolution": "PT15M"})
    assert left["values"] == [None, None, 3, 4], left

    # What stays out.
    schedule = {**SERIES, "flex_model": {"soc-at-start": "1 kWh"}}
    await row(
        "trigger_schedule(sensor_id, …)",
        adam.trigger_schedule(**schedule, sensor_id=id),
        "Sven",
        sven.trigger_schedule(**schedule, sensor_id=id),
    )
    await row(
        "trigger_schedule(asset_id, …)",
        adam.trigger_schedule(**SERIES, asset_id=new["id"]),
        "Sven",
        sven.trigger_schedule(**SERIES, asset_id=new["id"]),
    )
    await row("get_schedule(…)", adam.get_schedule(id, "x", "PT1H", "kW"), "Sven", sven.get_schedule(id, "x", "PT1H", "kW"))
    await row("trigger_forecast(…)", adam.trigger_forecast(id, duration="PT1H"), "Sven", sven.trigger_forecast(id))
    await row("get_forecast(…)", adam.get_forecast(id, "x"), "Sven", sven.get_forecast(id, "x"))
    report = {"reporter": "PandasReporter", "parameters": {}}
    await row("trigger_report(…)", adam.trigger_report(new["id"], **report), "Sven", sven.trigger_report(new["id"], **report))
    await row("get_job_status(…)", adam.get_job_status("x"), wrong, stranger.get_job_status("x"))

    await row("delete_sensor(…)", adam.delete_sensor(id, False), "Mia", mia.delete_sensor(ID["power"], False))
    await row("delete_asset(…)", adam.delete_asset(new["id"], False), "Mia", mia.delete_asset(ID["roof"], False))
    gone = [await answer(adam.get_sensor(id), names), await answer(adam.get_asset(new["id"]), names)]
    assert gone == ["404", "404"], gone

    for each in everyone:
        await each.close()
    all_calls = {name for name, _ in inspect.getmembers(FlexMeasuresClient, inspect.iscoroutinefunction)}
    all_calls = {name for name in all_calls if not name.startswith("_")} - INDIRECT
    assert called == all_calls, f"not tried: {all_calls - called}; unknown: {called - all_calls}"
    print("| call | Adam, who may | somebody who may not |\n|---|---|---|")
    for cells in rows:
        print("| " + " | ".join(cells) + " |")


asyncio.run(main(sys.argv[1]))
