// SegmentJava ADDRESS KEY COUNT BATCH ODD

import com.google.gson.Gson;
import com.segment.analytics.Analytics;
import com.segment.analytics.Callback;
import com.segment.analytics.messages.Message;
import com.segment.analytics.messages.TrackMessage;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Date;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentSkipListMap;
import java.util.concurrent.ConcurrentSkipListSet;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

public final class SegmentJava {
  private static final long FIRST = Instant.parse("2026-11-21T08:15:30Z").toEpochMilli();

  public static void main(String[] arguments) throws InterruptedException {
    int count = Integer.parseInt(arguments[2]);
    Map<Integer, String> sorts = new LinkedHashMap<>();
    for (String odd : arguments[4].split(",")) {
      if (odd.contains(":")) {
        sorts.put(Integer.valueOf(odd.split(":")[0]), odd.split(":")[1]);
      }
    }
    Set<Integer> delivered = new ConcurrentSkipListSet<>();
    Map<Integer, String> failed = new ConcurrentSkipListMap<>();
    Map<Integer, String> refused = new LinkedHashMap<>();
    CountDownLatch open = new CountDownLatch(count);
    Callback callback = new Callback() {
      @Override
      public void success(Message message) {
        delivered.add(number(message));
        open.countDown();
      }

      @Override
      public void failure(Message message, Throwable error) {
        failed.put(number(message), String.valueOf(error));
        open.countDown();
      }
    };
    Analytics analytics = Analytics.builder(arguments[1]).endpoint(arguments[0])
        .flushQueueSize(Integer.parseInt(arguments[3])).flushInterval(60, TimeUnit.SECONDS).callback(callback).build();
    for (int n = 0; n < count; ++n) {
      try {
        analytics.enqueue(makeCall(n, sorts.getOrDefault(n, "")));
      } catch (RuntimeException error) { // whatever the library does not take
        refused.put(n, String.valueOf(error));
        open.countDown();
      }
    }
    analytics.flush();
    open.await(180, TimeUnit.SECONDS);
    Map<String, Object> report = new LinkedHashMap<>();
    report.put("delivered", delivered);
    report.put("failed", entries(failed));
    report.put("refused", entries(refused));
    System.out.println(new Gson().toJson(report));
    System.exit(0); // its threads would keep it
  }

  private static int number(Message message) {
    return ((Number) ((TrackMessage) message).properties().get("n")).intValue();
  }

  private static List<Map<String, Object>> entries(Map<Integer, String> reasons) {
    List<Map<String, Object>> entries = new ArrayList<>();
    reasons.forEach((n, why) -> entries.add(Map.of("n", n, "why", why)));
    return entries;
  }

  // Call number n, and what is odd about it.
  private static TrackMessage.Builder makeCall(int n, String sort) {
    String user = "user-" + n;
    String name = "Order Completed";
    Map<String, Object> data = new LinkedHashMap<>();
    data.put("n", n);
    data.put("total", 12.5);
    data.put("note", "Gr\u00fc\u00dfe \"\u20ac\"");
    switch (sort) {
      case "half-surrogate": data.put("odd", "cut \ud83d"); break;
      case "control-character": name = "Order\u0007Completed"; break;
      case "long-user": user = "u".repeat(1500); break;
      case "nan": data.put("odd", Double.NaN); break;
      case "depth": data.put("odd", nested(140)); break;
      case "no-name": name = ""; break;
      default: break;
    }
    return TrackMessage.builder(name).userId(user).timestamp(new Date(FIRST + 1000L * n)).properties(data);
  }

  private static Object nested(int depth) {
    Object value = List.of();
    for (int level = 1; level < depth; ++level) {
      value = List.of(value);
    }
    return value;
  }
}
