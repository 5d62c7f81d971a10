# Ten echoes to each address in SCHOOLWATCH_ECHOES (a JSON list), all side by side.
# .NET's Ping needs no administrator and its numbers have no language; it counts whole milliseconds.
$given = ConvertFrom-Json -InputObject $env:SCHOOLWATCH_ECHOES
$payload = New-Object byte[] 16
$hosts = @($given.addresses | ForEach-Object {
  [pscustomobject]@{ address = $_; asked = New-Object System.Collections.ArrayList }
})
for ($n = 0; $n -lt $given.count; $n++) {
  foreach ($one in $hosts) {
    try {
      $ping = New-Object System.Net.NetworkInformation.Ping
      [void]$one.asked.Add($ping.SendPingAsync($one.address, 1000, $payload))
    } catch { [void]$one.asked.Add($null) }
  }
  Start-Sleep -Milliseconds ($given.interval * 1000)
}
Start-Sleep -Milliseconds 1000
ConvertTo-Json -Depth 4 -Compress -InputObject @{
  hosts = @($hosts | ForEach-Object {
    @{ address = $_.address; replies = @($_.asked | ForEach-Object {
      if ($null -ne $_ -and $_.IsCompleted -and -not $_.IsFaulted) {
        @{ status = [int]$_.Result.Status; milliseconds = [long]$_.Result.RoundtripTime }
      } else { @{ status = -1; milliseconds = 0 } }
    }) }
  })
}
